# The rules every target of the house obeys: language level, warnings, where programs land.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Eight programs hold LLVM, at 20 seconds of GNU ld each; mold takes one.
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

option(MARCH_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(MARCH_FUZZ "Build tests/fuzz as libFuzzer programs (needs clang)" OFF)

# Debug information of the whole tree would dwarf the programs; line tables are enough to read a
# backtrace.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")

# The single interface target through which every target gets its warnings and hardening.
add_library(march_house INTERFACE)
target_include_directories(march_house INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(march_house INTERFACE
  -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef
  -Wcast-align -Wimplicit-fallthrough -Wvla
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  -fstack-protector-strong -fno-omit-frame-pointer)
target_link_options(march_house INTERFACE -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(march_house INTERFACE _FORTIFY_SOURCE=2)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own std::stable_sort uses what C++17 deprecated.
  target_compile_options(march_house INTERFACE -Wno-deprecated-declarations)
endif()
if(MARCH_SANITIZE)
  target_compile_options(march_house INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(march_house INTERFACE -fsanitize=address,undefined)
endif()
if(MARCH_FUZZ)
  target_compile_options(march_house INTERFACE -fsanitize=fuzzer-no-link)
endif()

# march_library(NAME SOURCES... [DEPENDS TARGETS...]): one static library, private links. Where a folder
# sets MARCH_COMPUTES, it is optimized a little under sanitizers too, or its tests would take minutes.
function(march_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC march_house PRIVATE ${ARG_DEPENDS})
  if(MARCH_SANITIZE AND MARCH_COMPUTES)
    target_compile_options(${name} PRIVATE -O1)
  endif()
endfunction()

# march_program(NAME SOURCES... [DEPENDS TARGETS...])
function(march_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE march_house ${ARG_DEPENDS})
endfunction()

# march_test(NAME SOURCES... [DEPENDS TARGETS...]): a Catch2 program known to ctest. Tests stand
# beside the code they test; they run from the source tree, so goldens are found by relative path.
function(march_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE march_house march_test_main ${ARG_DEPENDS})
  if(MARCH_SANITIZE)
    target_compile_definitions(${name} PRIVATE MARCH_SANITIZED)  # tests/course.h
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
    ENVIRONMENT "MARCH_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endfunction()

# embed_files(VARIABLE FILES ... HEADER ... NAMESPACE ... TYPE ... FUNCTION ... STRIP ...): sets
# VARIABLE to a source that carries the texts of FILES, see embed.cmake.
function(embed_files variable)
  cmake_parse_arguments(EMBED "" "HEADER;NAMESPACE;TYPE;FUNCTION;STRIP" "FILES" ${ARGN})
  list(TRANSFORM EMBED_FILES PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE paths)
  string(REGEX REPLACE "\\.h$" ".cc" source ${EMBED_HEADER})
  set(output ${PROJECT_BINARY_DIR}/generated/${source})
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} "-DFILES=${EMBED_FILES}"
            -DOUTPUT=${output} -DHEADER=${EMBED_HEADER} -DNAMESPACE=${EMBED_NAMESPACE}
            -DTYPE=${EMBED_TYPE} -DFUNCTION=${EMBED_FUNCTION} "-DSTRIP=${EMBED_STRIP}"
            -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${paths} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
  set(${variable} ${output} PARENT_SCOPE)
endfunction()
