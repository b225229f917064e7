// "Did you mean": the nearest of a set of known words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace march {

// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
std::size_t EditDistance(std::string_view a, std::string_view b);

// The known word nearest to `word`, if near enough to be a likely slip (distance at most a third of
// its length, and at least 1); "" otherwise. Ties go to the word first in byte order.
std::string NearestWord(std::string_view word, const std::vector<std::string_view>& known);

// `did you mean "X"?`, or "" when nothing is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& known);

// "a, b or c".
std::string ListOf(const std::vector<std::string_view>& words);

}  // namespace march
