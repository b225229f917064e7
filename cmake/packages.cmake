# Every package the house builds on, found once; all of them are Debian bookworm's.
find_package(Catch2 2.13 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
