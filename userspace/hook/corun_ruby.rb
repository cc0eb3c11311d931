# SPDX-License-Identifier: MIT
# The Ruby hook of `corun record --tasks=ruby`: fibers as tasks, by ruby_marks.c. Loaded in front of the program by
# RUBYOPT, which is put back at once: as for Node, Rubies that the program starts are left alone.
options = ENV['RUBYOPT'].to_s.sub("-r#{__FILE__}", '').strip
ENV['RUBYOPT'] = options.empty? ? nil : options
if RUBY_ENGINE == 'ruby' && ENV['CORUN_MARKS']
  begin
    require "#{__dir__}/corun_fibers.so"
    $LOADED_FEATURES.delete("#{__dir__}/corun_fibers.so")
  rescue LoadError
    # Another C library than it was built for: the program is left alone.
  end
end
