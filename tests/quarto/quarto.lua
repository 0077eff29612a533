--[[
Stands in for Quarto, whose program the tests do not have: the part of its Lua API that the extension uses, under pandoc. It
notes what the shortcode asks for and writes it out as one JSON line, so that a test can hold it against what Quarto documents.
]]

local asked = { dependencies = pandoc.List(), formats = pandoc.List() }
local folder = pandoc.path.join({ pandoc.path.directory(PANDOC_SCRIPT_FILE), "..", "..", "_extensions", "kernelscope" })

quarto = {
  utils = { resolve_path = function(path) return pandoc.path.normalize(pandoc.path.join({ folder, path })) end },
  log = { warning = function(words) io.stderr:write("[quarto] " .. words .. "\n") end },
  doc = {
    is_format = function(name)
      asked.formats:insert(name)
      return name == "html:js" and (FORMAT == "revealjs" or FORMAT:match("^html") ~= nil)
    end,
    add_html_dependency = function(dependency) asked.dependencies:insert(dependency) end,
  },
}

local shortcodes = dofile(pandoc.path.join({ folder, "kernelscope.lua" }))

-- Quarto gives inlines, not strings, and an empty list for what is not there.
local function inlines(text) return pandoc.Inlines({ pandoc.Str(text) }) end
local function call(name, attributes)
  local kwargs = setmetatable({}, { __index = function() return pandoc.Inlines({}) end })
  for key, value in pairs(attributes) do rawset(kwargs, key, inlines(value)) end
  return shortcodes.kernelscope({ inlines(name) }, kwargs, {}, { name }, "block")
end

function Div(div)
  if not div.classes:includes("shortcode") then return nil end
  local attributes = {}
  for key, value in pairs(div.attributes) do if key ~= "figure" then attributes[key] = value end end
  return call(div.attributes.figure, attributes)
end

function Pandoc(document)
  document = document:walk({ Div = Div })
  io.stderr:write("[asked] " .. pandoc.json.encode(asked.dependencies) .. "\n")
  return document
end

return { { Pandoc = Pandoc } }
