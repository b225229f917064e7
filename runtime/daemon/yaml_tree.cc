#include "runtime/daemon/yaml_tree.h"

#include <yaml.h>

#include <algorithm>
#include <utility>

namespace march::daemon {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr int kMaxDepth = 16;

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }

  yaml_event_t event{};
};

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {
    ok_ = yaml_parser_initialize(&parser_) == 1;
    if (!ok_) return;
    const auto* bytes = reinterpret_cast<const unsigned char*>(source.text().data());
    yaml_parser_set_input_string(&parser_, bytes, source.text().size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { yaml_parser_delete(&parser_); }

  Outcome<YamlNode> Document() {
    if (!ok_) return Bad({}, "libyaml cannot start");
    Event stream;
    Event document;
    if (!Next(stream) || !Next(document)) return failure_;
    if (document.event.type == YAML_STREAM_END_EVENT) {
      return Bad({&source_, 0, 0}, "the file is empty");
    }
    auto root = Node(0);
    if (!root.ok()) return root;
    Event end;
    Event after;
    if (!Next(end) || !Next(after)) return failure_;
    if (after.event.type != YAML_STREAM_END_EVENT) {
      return Bad(RangeOf(after.event), "there is a second document",
                 "a configuration is one document");
    }
    return root;
  }

 private:
  static Diagnostic Bad(SourceRange range, std::string message, std::string hint = {}) {
    return MakeDiagnostic(Code::kBadConfig, range, std::move(message), std::move(hint));
  }

  // libyaml counts characters, a Source counts bytes.
  std::uint32_t OffsetOf(const yaml_mark_t& mark) const {
    const auto line = static_cast<std::uint32_t>(mark.line + 1);
    const std::string_view text = source_.Line(line);
    std::size_t column = 0;
    std::size_t offset = 0;
    for (; offset < text.size() && column < mark.column; ++column) {
      ++offset;
      while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) {
        ++offset;
      }
    }
    return source_.OffsetOf({line, static_cast<std::uint32_t>(offset + 1)});
  }

  SourceRange RangeOf(const yaml_event_t& event) const {
    return {&source_, OffsetOf(event.start_mark), OffsetOf(event.end_mark)};
  }

  bool Next(Event& event) {
    if (yaml_parser_parse(&parser_, &event.event) == 1) return true;
    const std::string problem = parser_.problem != nullptr ? parser_.problem : "not YAML";
    const std::uint32_t at = OffsetOf(parser_.problem_mark);
    failure_ = Bad({&source_, at, at}, problem);
    return false;
  }

  static bool IsEnd(const yaml_event_t& event) {
    return event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
  }

  Outcome<YamlNode> Node(int depth) {
    Event event;
    if (!Next(event)) return failure_;
    return Node(event.event, depth);
  }

  Outcome<YamlNode> Node(const yaml_event_t& event, int depth) {
    const SourceRange range = RangeOf(event);
    if (depth >= kMaxDepth) return Bad(range, "nested too deeply");
    switch (event.type) {
      case YAML_SCALAR_EVENT: {
        const auto& scalar = event.data.scalar;
        if (scalar.anchor != nullptr || scalar.tag != nullptr) return Bad(range, kNoAnchors);
        const auto* text = reinterpret_cast<const char*>(scalar.value);
        return YamlNode{YamlNode::Kind::kScalar, range, std::string(text, scalar.length), {}, {}};
      }
      case YAML_SEQUENCE_START_EVENT: {
        const auto& start = event.data.sequence_start;
        if (start.anchor != nullptr || start.tag != nullptr) return Bad(range, kNoAnchors);
        return List(range, depth);
      }
      case YAML_MAPPING_START_EVENT: {
        const auto& start = event.data.mapping_start;
        if (start.anchor != nullptr || start.tag != nullptr) return Bad(range, kNoAnchors);
        return Map(range, depth);
      }
      default:
        return Bad(range, kNoAnchors);
    }
  }

  Outcome<YamlNode> List(SourceRange range, int depth) {
    YamlNode list{YamlNode::Kind::kList, range, {}, {}, {}};
    for (;;) {
      Event event;
      if (!Next(event)) return failure_;
      if (IsEnd(event.event)) return list;
      auto item = Node(event.event, depth + 1);
      if (!item.ok()) return item;
      list.items.push_back(std::move(item).value());
    }
  }

  Outcome<YamlNode> Map(SourceRange range, int depth) {
    YamlNode map{YamlNode::Kind::kMap, range, {}, {}, {}};
    for (;;) {
      Event event;
      if (!Next(event)) return failure_;
      if (IsEnd(event.event)) return map;
      auto key = Node(event.event, depth + 1);
      if (!key.ok()) return key;
      if (key->kind != YamlNode::Kind::kScalar) return Bad(key->range, "a key is a plain word");
      const auto first =
          std::find_if(map.entries.begin(), map.entries.end(),
                       [&](const auto& entry) { return entry.key.scalar == key->scalar; });
      if (first != map.entries.end()) {
        return Bad(key->range, "\"" + key->scalar + "\" is given twice")
            .WithNote(first->key.range, "first here");
      }
      auto value = Node(depth + 1);
      if (!value.ok()) return value;
      map.entries.push_back({std::move(key).value(), std::move(value).value()});
    }
  }

  static constexpr const char* kNoAnchors = "anchors, aliases and tags have no place here";

  const Source& source_;
  yaml_parser_t parser_{};
  bool ok_ = false;
  Diagnostic failure_{Code::kBadConfig, {}, "not YAML", {}, {}};
};

}  // namespace

Outcome<YamlNode> ParseYaml(const Source& source) {
  if (source.text().size() > kMaxBytes) {
    return MakeDiagnostic(Code::kBadConfig, {&source, 0, 0}, "the file is larger than 1 MiB");
  }
  return Reader(source).Document();
}

}  // namespace march::daemon
