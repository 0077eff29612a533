--[[
The same shortcode for pandoc without Quarto:  pandoc --lua-filter _extensions/kernelscope/pandoc.lua -s lecture.md -o lecture.html
A shortcode stands in a paragraph of its own.
]]

local shortcodes = dofile(pandoc.path.join({ pandoc.path.directory(PANDOC_SCRIPT_FILE), "kernelscope.lua" }))

--- The paragraph as it was typed: pandoc has made typographic quotes of the straight ones.
local function typed(inlines)
  return pandoc.utils.stringify(inlines:walk({
    Quoted = function(quoted)
      local mark = quoted.quotetype == "DoubleQuote" and '"' or "'"
      return { pandoc.Str(mark), pandoc.Span(quoted.content), pandoc.Str(mark) }
    end,
    SoftBreak = function() return pandoc.Space() end,
  }))
end

local function Para(para)
  local inside = typed(para.content):match("^{{<%s*kernelscope%s+(.-)%s*>}}$")
  if not inside then return nil end
  local args, kwargs = {}, {}
  local rest = inside
  while rest ~= "" do
    local key, mark = rest:match("^([%w-]+)=([\"'])")
    if key then
      local value, after = rest:match("^[%w-]+=" .. mark .. "([^" .. mark .. "]*)" .. mark .. "%s*(.*)$")
      if not value then error("kernelscope: a quote is not closed in " .. inside, 0) end
      kwargs[key], rest = value, after
    else
      local word, after = rest:match("^(%S+)%s*(.*)$")
      local name, value = word:match("^([%w-]+)=(.*)$")
      if name then kwargs[name] = value else args[#args + 1] = word end
      rest = after
    end
  end
  return shortcodes.kernelscope(args, kwargs)
end

local function Meta(meta)
  local head = shortcodes["kernelscope-head"]()
  if #head == 0 then return nil end
  local includes = meta["header-includes"]
  local list = pandoc.utils.type(includes) == "List" and includes or includes and pandoc.List({ includes }) or pandoc.List()
  list:insert(pandoc.MetaBlocks({ pandoc.RawBlock("html", table.concat(head, "\n")) }))
  meta["header-includes"] = list
  return meta
end

return { { Para = Para }, { Meta = Meta } }
