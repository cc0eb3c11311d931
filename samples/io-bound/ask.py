# Hypothesis: a program that asks the user spends its time waiting for the terminal, not computing.
import os
import pty
import signal
import sys

import corun_marks as corun

THINKS = 0.1  # seconds until the user has answered


def main():
    keyboard, terminal = pty.openpty()  # the user's end, the program's end
    os.dup2(terminal, sys.stdin.fileno())

    def answer(*_):
        os.write(keyboard, b"ramen\n")

    signal.signal(signal.SIGALRM, answer)  # the user is an alarm clock
    answers = []
    with corun.region("work"):
        for _ in range(4):
            signal.setitimer(signal.ITIMER_REAL, THINKS)
            answers.append(os.read(0, 100))
    corun.fact(answers=len(answers))


if __name__ == "__main__":
    main()
