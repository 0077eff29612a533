--[[
A live figure in a Quarto document:

    {{< kernelscope convolution kernel="sobel-x" at="165.81" controls="minimal" >}}

In HTML and reveal.js it becomes the element <ks-convolution>, and the scripts it needs are added once, as ordinary scripts, so
that `embed-resources: true` takes them in. Everywhere else (PDF, Word, PowerPoint, EPUB) it becomes a still picture: the one that
`still="file.png"` names, else one that `cargo xtask still document.qmd` has made, else the figure as it begins.

Of its own it takes: still, alt, caption, id, class, style, width, height. Everything else is the figure's, and checked.
]]

local VERSION = "0.1.0"
local OWN = { still = true, alt = true, caption = true, id = true, class = true, style = true, width = true, height = true }
-- Formats that pandoc writes as HTML and browsers open as pages; an EPUB is not one of them.
local PAGES = { html = true, html4 = true, html5 = true, revealjs = true, slidy = true, slideous = true, s5 = true, dzslides = true }

local text = pandoc.utils.stringify
local join = pandoc.path.join

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read("a")
  file:close()
  return content
end

local function here()
  if quarto then return quarto.utils.resolve_path(".") end
  return pandoc.path.directory(PANDOC_SCRIPT_FILE)
end

local folder = here()
-- Beside this file in the extension as it is handed out; the project's own folder when used inside the project.
local pkg = exists(join({ folder, "pkg", "kernelscope.js" })) and join({ folder, "pkg" }) or join({ folder, "..", "..", "pkg" })

local loaded
local function elements()
  if loaded then return loaded end
  local content = read(join({ pkg, "elements.json" }))
  if not content then error("kernelscope: " .. join({ pkg, "elements.json" }) .. " is missing; is the extension complete?") end
  loaded = pandoc.json.decode(content, false)
  return loaded
end

local function keys(map)
  local found = {}
  for key in pairs(map) do found[#found + 1] = key end
  table.sort(found)
  return found
end

local function warn(words)
  if quarto and quarto.log and quarto.log.warning then quarto.log.warning(words)
  else io.stderr:write("[WARNING] " .. words .. "\n") end
end

local function escape(value)
  return (value:gsub("&", "&amp;"):gsub('"', "&quot;"):gsub("<", "&lt;"):gsub(">", "&gt;"))
end

--- The figure's description and its attributes, checked; an error names what came and what there is.
local function checked(name, given)
  local all = elements()
  local figure = all.figures["ks-" .. name]
  if not figure then
    local known = {}
    for _, tag in ipairs(keys(all.figures)) do known[#known + 1] = tag:sub(4) end
    error(('kernelscope: there is no figure "%s"; there are %s'):format(name, table.concat(known, ", ")), 0)
  end
  local attributes, own = {}, {}
  for _, key in ipairs(keys(given)) do
    local entry = figure.attributes[key] or all.common.attributes[key]
    if entry then
      local value = given[key]
      if entry.kind == "choice" then
        local fits = false
        for _, choice in ipairs(entry.values) do fits = fits or choice == value end
        if not fits then
          error(('kernelscope: %s of %s cannot be "%s"; it is one of %s'):format(key, name, value, table.concat(entry.values, ", ")), 0)
        end
      elseif entry.kind == "number" and not tonumber(value) then
        error(('kernelscope: %s of %s must be a number; got "%s"'):format(key, name, value), 0)
      end
      attributes[#attributes + 1] = { key, value }
    elseif OWN[key] or key:match("^data%-") then own[key] = given[key]
    else
      error(('kernelscope: %s has no attribute "%s"; it has %s'):format(name, key, table.concat(keys(figure.attributes), ", ")), 0)
    end
  end
  return figure, attributes, own
end

--- The scripts that a figure needs, in the order in which they must run; a name with * stands for all such files.
local function chunks(name, figure)
  local found = { "chunks/figure.js", "chunks/answers.js", "chunks/lessons.js", "chunks/ks-" .. name .. ".js" }
  local files
  for _, wanted in ipairs(figure.files) do
    if wanted:find("*", 1, true) then
      files = files or keys(pandoc.json.decode(read(join({ pkg, "manifest.json" })), false).files)
      local pattern = "^chunks/" .. wanted:gsub("%-", "%%-"):gsub("%*", ".*") .. "%.js$"
      for _, file in ipairs(files) do if file:match(pattern) then found[#found + 1] = file end end
    else found[#found + 1] = "chunks/" .. wanted .. ".js" end
  end
  return found
end

local added = {}
--- Tells the document's head of a script, once. `head` collects where there is no Quarto.
local head = {}
local function depend(name, script, more)
  if added[name] then return end
  added[name] = true
  if quarto then
    local dependency = { name = name, version = VERSION, scripts = { { name = pandoc.path.filename(script), path = join({ pkg, script }) } } }
    for key, value in pairs(more or {}) do dependency[key] = value end
    quarto.doc.add_html_dependency(dependency)
  else
    if more then head[#head + 1] = ('<link rel="stylesheet" href="%s">'):format(escape(join({ pkg, "fonts.css" }))) end
    head[#head + 1] = ('<script src="%s"></script>'):format(escape(join({ pkg, script })))
  end
end

local function fonts()
  local found = {}
  for _, name in ipairs({ "inter-latin", "inter-greek", "source-serif-4-latin", "source-serif-4-latin-italic", "source-serif-4-greek", "stix-two-math-subset" }) do
    found[#found + 1] = { name = "fonts/" .. name .. ".woff2", path = join({ pkg, "fonts", name .. ".woff2" }) }
  end
  return found
end

local function element(name, figure, attributes, own)
  depend("kernelscope", "kernelscope.js", { stylesheets = { join({ pkg, "fonts.css" }) }, resources = fonts() })
  for _, script in ipairs(chunks(name, figure)) do
    depend("kernelscope-" .. script:match("([%w_-]+)%.js$"), script)
  end
  local written = {}
  for _, pair in ipairs(attributes) do written[#written + 1] = (' %s="%s"'):format(pair[1], escape(pair[2])) end
  local style = own.style or ""
  for _, key in ipairs({ "width", "height" }) do
    if own[key] then style = style .. (style ~= "" and ";" or "") .. key .. ":" .. own[key] end
  end
  if style ~= "" then own.style = style end
  for _, key in ipairs(keys(own)) do
    if key == "id" or key == "class" or key == "style" or key:match("^data%-") then written[#written + 1] = (' %s="%s"'):format(key, escape(own[key])) end
  end
  local tag = "ks-" .. name
  return pandoc.RawBlock("html", ("<%s%s>%s</%s>"):format(tag, table.concat(written), own.caption and escape(own.caption) or "", tag))
end

--- Under which name `cargo xtask still document.qmd` puts the picture of a state: the figure, and a digest of its attributes.
local function slug(name, attributes)
  local pairs_ = {}
  for _, pair in ipairs(attributes) do pairs_[#pairs_ + 1] = pair[1] .. "=" .. pair[2] end
  return name .. "-" .. pandoc.utils.sha1(table.concat(pairs_, "\n")):sub(1, 12) .. ".png"
end

local function still(name, figure, attributes, own)
  local path = own.still
  if path and not exists(path) then warn(("kernelscope: the picture %s of %s is not there (yet)"):format(path, name)) end
  if not path then
    local made = join({ "kernelscope-stills", slug(name, attributes) })
    if exists(made) then path = made end
  end
  if not path then
    path = join({ folder, "stills", name .. ".png" })
    for _, pair in ipairs(attributes) do
      if figure.attributes[pair[1]] then
        warn(('kernelscope: %s is shown as it begins, since no picture was made of %s="%s"; run `cargo xtask still` on this document, or name one: still="file.png"'):format(name, pair[1], pair[2]))
        break
      end
    end
  end
  local words = own.alt or own.caption or figure.summary
  local image = pandoc.Image(words, path, "", { width = own.width or "100%" })
  if own.caption then return pandoc.Figure({ pandoc.Plain({ image }) }, { long = { pandoc.Plain(own.caption) } }, own.id or "") end
  return pandoc.Para({ image })
end

local function is_page()
  if quarto then return quarto.doc.is_format("html:js") end
  return PAGES[FORMAT] == true
end

--- Quarto's shortcode: the figure's name first, then name="value".
local function kernelscope(args, kwargs)
  local name = args[1] and text(args[1]):gsub("^ks%-", "") or ""
  local given = {}
  for key, value in pairs(kwargs) do given[key] = type(value) == "string" and value or text(value) end
  for i = 2, #args do given[text(args[i])] = "" end
  local figure, attributes, own = checked(name, given)
  if is_page() then return element(name, figure, attributes, own) end
  return still(name, figure, attributes, own)
end

return { kernelscope = kernelscope, ["kernelscope-head"] = function() return head end }
