# Every package the house builds on, found once; all of them are Debian bookworm's.
find_package(Catch2 2.13 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(PkgConfig REQUIRED)

# libbpf, statically: its linker decides on the bytes of bundles, which are the same on any machine.
pkg_check_modules(LIBBPF REQUIRED libbpf>=1.1)
find_library(LIBBPF_ARCHIVE NAMES libbpf.a REQUIRED)
find_library(LIBELF_ARCHIVE NAMES libelf.a REQUIRED)
find_package(ZLIB REQUIRED)
add_library(march_libbpf INTERFACE)
target_link_libraries(march_libbpf INTERFACE ${LIBBPF_ARCHIVE} ${LIBELF_ARCHIVE} ZLIB::ZLIB)
