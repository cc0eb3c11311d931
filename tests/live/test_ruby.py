# SPDX-License-Identifier: MIT
"""Ruby's fibers against what the program noted itself, switch by switch."""
import json
import os
import statistics

from lib import check, corun, here, need, no_loss, record, remarks, report, run, scratch, test
from test_tasks import history

program = here / "prog/fiber_log.rb"
UNNOTED = 3001  # fibers that are made and left, and an Enumerator's


@test
def every_switch_of_Ruby_fibers():
    need("ruby")
    trace, out = record("ruby", program, options=("--tasks=ruby",), name="ruby.corun")
    true = json.loads(out)
    check(true["options"] is None and true["error"] == "nil", true["options"], true["error"])
    figures = report(trace)
    no_loss(figures)
    check(remarks(figures) == [], figures["notes"])
    seen = list(history(trace).values())
    check(len(seen) == len(true["fibers"]) + UNNOTED == figures["tasks"]["count"], len(seen), len(true["fibers"]))
    lines = program.read_text().splitlines()
    starts, ends, n = [], [], 0
    for name, noted in true["fibers"].items():
        steps = noted["steps"]
        found = [t for t in seen if t["steps"][0][0] <= steps[0][0] and
                 (t["steps"][0][1] or float("inf")) >= steps[0][1] and len(t["steps"]) == len(steps)]
        check(len(found) == 1, name, steps, found)
        t = found[0]
        line = int(t["name"].rsplit(":", 1)[1])
        check(t["name"].startswith("Fiber fiber_log.rb:"), t["name"])
        check(("Fiber" in lines[line - 1]), name, t["name"], lines[line - 1])
        for (begin, end), (from_, to) in zip(steps, t["steps"]):
            check(from_ <= begin and end <= to, name, (begin, end), (from_, to))
            starts.append(begin - from_)
            ends.append(to - end)
        n += len(steps)
        waits = [what for what, _, _ in t["waits"]]
        check(waits == noted["waits"], name, waits, noted["waits"])
        check(t["outcome"] == (noted["ends"] and "unknown") and len(t["tids"]) == 1, name, t["outcome"], noted["ends"])
    check(statistics.median(starts) < 50_000 and statistics.median(ends) < 50_000, starts, ends)
    rest = [t for t in seen if t["name"] == "Fiber"]
    check(len(rest) == 1 and len(rest[0]["steps"]) == 3, rest)
    check(figures["tasks"]["concurrency"]["max"] > 3000, figures["tasks"]["concurrency"])
    return f"{n} steps of {len(true['fibers'])} fibers, none missing or too many"


@test
def Ruby_output_and_status_are_the_same():
    need("ruby")
    script = scratch / "same.rb"
    script.write_text("""
p ENV['RUBYOPT'], ARGV, $!, Thread.current.instance_variables, Fiber.current.class, ENV.key?('RUBYOPT')
p `ruby -e 'p ENV["RUBYOPT"], $".grep(/corun/)'`
f = Fiber.new { |x| p Fiber.current.instance_variables; p Fiber.yield(x + 1); raise TypeError, 'inside' }
p f.resume(1)
begin
  f.resume(2)
rescue TypeError => e
  puts e.full_message(highlight: false)
end
begin
  f.resume
rescue => e
  p e.class
end
Thread.current.freeze
Fiber.new { p :frozen }.freeze.resume
Fiber.new do
  pid = fork do
    g = Fiber.new { p :child; Fiber.yield; p :again }
    2.times { g.resume }
    exit!(3)
  end
  Process.wait(pid)
  p $?.exitstatus
end.resume
p Thread.new { Fiber.new { 7 }.resume }.value
Ractor.new { Fiber.new { 8 }.resume }.take.then { |x| p x } if RUBY_VERSION >= '3' && !$VERBOSE.nil?
p ObjectSpace.each_object(TracePoint).count
raise 'on purpose'
""")
    for options in (None, "-W0", "-W1 -rset"):
        env = {k: v for k, v in os.environ.items() if k != "RUBYOPT"} | ({"RUBYOPT": options} if options else {})
        alone = run("ruby", script, "a", env=env)
        trace = scratch / "same-ruby.corun"
        recorded = run(corun, "record", "-q", "--tasks=node,ruby", "-o", trace, "--", "ruby", script, "a", env=env)
        check((alone.stdout, alone.stderr, alone.returncode) == (recorded.stdout, recorded.stderr, recorded.returncode),
              alone, recorded)
        check(alone.returncode == 1 and ":again" in alone.stdout and report(trace)["tasks"]["count"] >= 4, alone)
    # Not asked for, nothing is there; and where RubyGems and RUBYOPT are not wanted, nothing is disturbed.
    trace, out = record("ruby", "-e", "p ENV['RUBYOPT']; Fiber.new { 1 }.resume", name="ruby-off.corun")
    check("tasks" not in report(trace) and out == "nil\n", out)
    trace, out = record("ruby", "--disable=gems", "-e", "Fiber.new { p 1 }.resume", options=("--tasks=ruby",), name="ruby-bare.corun")
    check(report(trace)["tasks"]["count"] == 1 and out == "1\n", out)


@test
def a_Ruby_that_dies_in_the_middle_of_a_step():
    need("ruby")
    trace = scratch / "ruby-dies.corun"
    result = run(corun, "record", "-q", "--tasks=ruby", "-o", trace, "--", "ruby", "-e",
                 "Fiber.new { Fiber.new { Process.kill(:KILL, $$); sleep }.resume }.resume")
    check(result.returncode == 137, result)
    tasks = list(history(trace).values())
    check(len(tasks) == 2 and [len(t["steps"]) for t in tasks] == [1, 1], tasks)
    check(tasks[0]["waits"] and tasks[1]["outcome"] is None, tasks)


@test
def Ruby_without_its_extension_is_left_alone_and_said():
    need("ruby")
    deny = scratch / "deny.rb"
    deny.write_text("""
module Kernel
  alias_method :allowed, :require
  def require(name) = name.end_with?('corun_fibers.so') ? raise(LoadError, name) : allowed(name)
end
""")
    trace, out = record("sh", "-c", f'RUBYOPT="-r{deny} $RUBYOPT" exec ruby -e "Fiber.new {{ p 1 }}.resume"',
                        options=("--tasks=ruby",), name="ruby-denied.corun")
    figures = report(trace)
    check(out == "1\n" and "tasks" not in figures, out, figures.get("tasks"))
    check(len(remarks(figures)) == 1 and "fibers are not visible" in remarks(figures)[0], figures["notes"])
