# Hypothesis: (what this program is to show, in one sentence)
import sys
import threading
import time

import corun_marks as corun


def work():
    time.sleep(0.2)  # your work here


def main(n):
    threads = [threading.Thread(target=work, name=f"worker-{i}") for i in range(1, n + 1)]
    with corun.region("work"):  # what the claims are judged over
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
