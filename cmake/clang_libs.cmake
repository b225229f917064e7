# march_clang_libs: clang and LLVM 19, statically. The exported CMake targets of Debian's packages
# would pull in libLLVM.so beside the archives, and two copies of LLVM in one process abort; so the
# archives are named one by one.
find_program(LLVM_CONFIG llvm-config-19 REQUIRED)
foreach(what includedir libdir)
  execute_process(COMMAND ${LLVM_CONFIG} --${what} OUTPUT_VARIABLE llvm_${what}
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(
  COMMAND ${LLVM_CONFIG} --link-static --libfiles
          bpf option objcopy frontenddriver frontendopenmp frontendhlsl coverage lto windowsdriver
  OUTPUT_VARIABLE llvm_archives OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(llvm_archives)
# Polly registers passes from LLVM's extension list; it is not among the named components.
foreach(extra Polly PollyISL)
  if(EXISTS ${llvm_libdir}/lib${extra}.a)
    list(APPEND llvm_archives ${llvm_libdir}/lib${extra}.a)
  endif()
endforeach()
foreach(lib clangCodeGen clangFrontend clangDriver clangSerialization clangParse clangSema
        clangAnalysis clangASTMatchers clangSupport clangEdit clangAPINotes clangAST clangLex
        clangBasic)
  list(APPEND clang_archives ${llvm_libdir}/lib${lib}.a)
endforeach()

find_package(ZLIB REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
add_library(march_clang_libs INTERFACE)
target_include_directories(march_clang_libs SYSTEM INTERFACE ${llvm_includedir})
target_link_libraries(march_clang_libs INTERFACE
  -Wl,--start-group ${clang_archives} ${llvm_archives} -Wl,--end-group
  ZLIB::ZLIB ${ZSTD_LIBRARY} rt dl m)
