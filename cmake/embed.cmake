# Writes OUTPUT: the texts of FILES (paths below ROOT) as a C++ function NAMESPACE::FUNCTION() that
# returns a const std::vector<TYPE>&, declared in HEADER. A file's name is its path without whatever
# the regular expression STRIP matches.
string(CONCAT text "// Generated from the files themselves.\n"
         "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\n"
         "const std::vector<${TYPE}>& ${FUNCTION}() {\n"
         "  static const std::vector<${TYPE}> files = {\n")
foreach(file IN LISTS FILES)
  file(READ ${ROOT}/${file} content)
  string(REGEX REPLACE "${STRIP}" "" name ${file})
  string(APPEND text "{\"${name}\", R\"MARCH(${content})MARCH\"},\n")
endforeach()
string(APPEND text "  };\n  return files;\n}\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE ${OUTPUT} "${text}")
