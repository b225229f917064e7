# Writes OUTPUT: a table of HEADERS (paths below ROOT) and their texts. Names are as the templates
# include them: "common/walk.h", "bundle/abi/tables.h".
string(CONCAT text "// Generated from the headers of bpf-templates/ and bundle/abi/.\n"
         "#include \"bpf-templates/embedded.h\"\n\nnamespace march::bpf_templates {\n\n"
         "const std::vector<EmbeddedHeader>& EmbeddedHeaders() {\n"
         "  static const std::vector<EmbeddedHeader> headers = {\n")
foreach(header IN LISTS HEADERS)
  file(READ ${ROOT}/${header} content)
  string(REGEX REPLACE "^bpf-templates/" "" name ${header})
  string(APPEND text "{\"${name}\", R\"MARCH(${content})MARCH\"},\n")
endforeach()
string(APPEND text "  };\n  return headers;\n}\n\n}  // namespace march::bpf_templates\n")
file(WRITE ${OUTPUT} "${text}")
