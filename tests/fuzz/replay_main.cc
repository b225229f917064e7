// Runs a fuzz target without a fuzzer: over every file of the corpus, then over mutations of them.
// The same corpus gives the same inputs everywhere, so a failure here can be repeated anywhere.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutations = 4000;

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::string> ReadCorpus(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      paths.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) corpus.push_back(ReadFile(path));
  return corpus;
}

// The standard fixes what mt19937_64 yields, but not what its distributions do with it.
std::size_t Below(std::mt19937_64& random, std::size_t bound) {
  return random() % bound;
}

void MutateOnce(std::string& input, std::mt19937_64& random) {
  const std::size_t at = Below(random, input.size() + 1);
  const std::size_t length = Below(random, 16) + 1;
  const char byte = static_cast<char>(random() & 0xFF);
  switch (Below(random, 6)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << Below(random, 8)));
      break;
    case 1:
      if (at < input.size()) input[at] = byte;
      break;
    case 2:
      input.insert(at, length, byte);
      break;
    case 3:
      input.erase(at, length);
      break;
    case 4:
      input.insert(Below(random, input.size() + 1), input.substr(at, 32 * length));
      break;
    default:
      input.resize(at);
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> corpus = ReadCorpus(argc, argv);
  if (corpus.empty()) {
    std::cerr << "no corpus: give files or directories\n";
    return 1;
  }
  for (const std::string& input : corpus) Run(input);
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the point is to repeat
  for (int i = 0; i < kMutations; ++i) {
    std::string input = corpus[static_cast<std::size_t>(i) % corpus.size()];
    for (std::size_t left = Below(random, 4) + 1; left > 0; --left) MutateOnce(input, random);
    Run(input);
  }
  return 0;
}
