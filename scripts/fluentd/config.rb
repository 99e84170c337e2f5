# Matches tags and reads configurations with Fluentd's own code: JSON on standard input, JSON on standard output.
#
#   ruby config.rb FLUENTD_CHECKOUT < cases.json
#
# {"patterns": [[pattern, [tag, …]], …], "texts": [configuration, …]} gives {"patterns": [[true, …] | null, …],
# "texts": [[name, argument, {parameter: value}, [section, …]] | null, …]}; null is for what is refused.
$LOAD_PATH.unshift File.join(ARGV.fetch(0), "lib")
$LOADED_FEATURES << "fluent/env.rb"
module Fluent
  DEFAULT_JSON_PARSE_OPTIONS = {}
  class NullLog; def warn(*); end; end
end
$LOADED_FEATURES << File.join(File.realpath(ARGV[0]), "lib/fluent/env.rb")
require "json"
require "fluent/match"
require "fluent/config/error"
require "fluent/config/element"
require "fluent/config/v1_parser"
$log = Fluent::NullLog.new

def tree(element)
  parameters = element.keys.to_h { |key| [key, element[key]] }
  [element.name, element.arg, parameters, element.elements.map { |one| tree(one) }]
end

cases = JSON.parse($stdin.read)
patterns = cases["patterns"].map do |pattern, tags|
  some = pattern.split(/\s+/).map { |one| Fluent::MatchPattern.create(one) }
  tags.map { |tag| some.any? { |one| one.match(tag) ? true : false } }
rescue StandardError
  nil
end
texts = cases["texts"].map do |text|
  tree(Fluent::Config::V1Parser.parse(text, "fluent.conf", "/nowhere", Object.new.instance_eval { binding }.receiver))
rescue StandardError
  nil
end
puts JSON.generate({ "patterns" => patterns, "texts" => texts })
