# Parses texts with Fluentd's own parsers: JSON on standard input, JSON on standard output.
#
#   ruby parse.rb FLUENTD_CHECKOUT < cases.json
#
# A case is {"type": …, "config": {…}, "lines": […]}; the answer has for each line a list of [seconds, nanoseconds,
# record], or {"error": …}. What a checkout needs besides Ruby: msgpack, yajl, strptime, cool.io, serverengine, tzinfo.
$LOAD_PATH.unshift File.join(ARGV.fetch(0), "lib")
# Optional parts of Fluentd that parsing does not use.
$LOADED_FEATURES << "zstd-ruby.rb"
$LOADED_FEATURES << File.join(File.realpath(ARGV[0]), "lib/fluent/plugin_helper/http_server.rb")
module Fluent; module PluginHelper; module HttpServer; end; end; end
module Zstd; class StreamingCompress; end; class StreamingDecompress; end; end
require "json"
require "serverengine"
require "fluent/env"

require "fluent/engine"
require "fluent/log"
require "fluent/config/element"
require "fluent/plugin"

$log = Fluent::Log.new(ServerEngine::DaemonLogger.new(File.open(File::NULL, "w"), {}))

def answer(parser, line)
  found = []
  parser.parse(line) do |time, record|
    return { "error" => "no match" } if record.nil?
    time = Fluent::EventTime.new(time) if time.is_a?(Integer)
    found << [time&.sec, time&.nsec, record]
  end
  found
rescue => error
  { "error" => error.message.to_s.scrub[0, 200] }
end

results = JSON.parse($stdin.read).map do |one|
  begin
    parser = Fluent::Plugin.new_parser(one["type"])
    parser.configure(Fluent::Config::Element.new("parse", "", one["config"].merge("estimate_current_event" => "false"), []))
    one["lines"].map { |line| answer(parser, line.dup) }
  rescue => error
    { "error" => error.message.to_s.scrub[0, 200] }
  end
end
puts JSON.generate(results)
