#include <catch2/catch.hpp>
int x;
