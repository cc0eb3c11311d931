# Hypothesis: a program that wants to be sure that its data are on the disk waits for the disk.
import os

import corun_marks as corun


def filesystem(path):
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            before, _, after = line.partition(" - ")
            if before.split()[2] == wanted:
                return after.split()[0]
    return "unknown"


def main():
    page = b"order: ramen\n" * 1000
    with open("orders.txt", "wb", buffering=0) as file:
        kind = filesystem("orders.txt")
        with corun.region("work"):
            for _ in range(200):
                file.write(page)
                os.fsync(file.fileno())  # back only when the disk has it
    corun.fact(bytes=os.path.getsize("orders.txt"), filesystem=kind)
    os.unlink("orders.txt")


if __name__ == "__main__":
    main()
