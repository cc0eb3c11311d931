#!/bin/sh
# SPDX-License-Identifier: MIT
# Install what is missing: `deps.sh build` for the program alone, `deps.sh` for the tests too.
#
# Nothing is done, and nothing asked, where everything is there. Debian and Ubuntu by apt, Fedora by
# dnf, Arch by pacman; elsewhere it lists what to install and fails.
set -u

what=${1:-all}
[ "$what" = build ] || [ "$what" = all ] || { echo "usage: deps.sh [build|all]" >&2; exit 2; }

id=unknown
# shellcheck source=/dev/null
[ -r /etc/os-release ] && id=$(. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}")

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "deps: needs root to run: $*" >&2
		return 1
	fi
}

# What a command or header on this machine already gives need not come from a package: a python3 or
# a node that was installed by hand stays the one that is used.
have() {
	for c in "$@"; do
		command -v "$c" >/dev/null 2>&1 || return 1
	done
}

debian() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
			missing="$missing $p"
	done
	[ -z "$missing" ] && return 0
	echo "deps: installing$missing"
	as_root apt-get update -qq
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Use-Pty=0 $missing >/dev/null
}

case " $id " in
*debian* | *ubuntu*)
	set -- gcc libc6-dev clang llvm libbpf-dev libelf-dev zlib1g-dev libcjson-dev libcmark-dev \
		libdw-dev libmicrohttpd-dev libncurses-dev
	have python3 || set -- "$@" python3
	if [ "$what" = all ]; then
		set -- "$@" g++ libcmocka-dev cppcheck clang-tidy shellcheck libclang-rt-14-dev linux-perf \
			xz-utils psmisc util-linux procps iproute2 redis-server ruby golang-go \
			qemu-system-x86 busybox-static cpio chromium fonts-nanum fonts-dejavu-core libbz2-dev \
			liblzma-dev python3-trio python3-uvloop systemtap-sdt-dev
		# Ubuntu and later Debians have another clang: its run-time library has its number.
		v=$(clang -dumpversion 2>/dev/null | cut -d. -f1)
		[ -n "$v" ] && [ "$v" != 14 ] && set -- "$@" "libclang-rt-$v-dev"
		[ -x /usr/bin/python3 ] || set -- "$@" python3
		have node npm || set -- "$@" nodejs npm
		have java javac || set -- "$@" default-jdk-headless
		have rustc || set -- "$@" rustc
	fi
	debian "$@" || exit 1
	;;
*fedora* | *rhel*)
	set -- make gcc clang llvm libbpf-devel elfutils-libelf-devel elfutils-devel zlib-devel \
		cjson-devel cmark-devel libmicrohttpd-devel ncurses-devel python3
	[ "$what" = all ] && set -- "$@" gcc-c++ libcmocka-devel cppcheck clang-tools-extra perf xz \
		psmisc iproute redis ruby golang nodejs npm java-latest-openjdk-devel rust \
		qemu-system-x86 busybox cpio chromium naver-nanum-gothic-fonts compiler-rt \
		python3-trio python3-uvloop systemtap-sdt-devel
	# shellcheck disable=SC2046
	rpm -q "$@" >/dev/null 2>&1 || as_root dnf install -y -q "$@" || exit 1
	;;
*arch*)
	set -- make gcc clang llvm libbpf libelf zlib cjson cmark libmicrohttpd ncurses python
	[ "$what" = all ] && set -- "$@" cmocka cppcheck perf xz psmisc iproute2 redis ruby go nodejs \
		npm jdk-openjdk rust qemu-system-x86 busybox cpio chromium noto-fonts-cjk compiler-rt \
		python-trio python-uvloop
	pacman -Q "$@" >/dev/null 2>&1 || as_root pacman -S --needed --noconfirm "$@" || exit 1
	;;
*)
	fail=
	for c in gcc clang llvm-strip; do
		have "$c" || fail="$fail $c"
	done
	for h in bpf/libbpf.h libelf.h zlib.h cjson/cJSON.h cmark.h elfutils/libdwfl.h microhttpd.h ncurses.h; do
		echo "#include <$h>" | gcc -x c -E - >/dev/null 2>&1 || fail="$fail <$h>"
	done
	if [ -n "$fail" ]; then
		cat >&2 <<-LIST
		deps: this system's package manager is not known to corun. Missing here:$fail
		Install by hand: a C compiler, clang 14 or later with llvm-strip, libbpf 1.1 or later,
		libelf and libdw (elfutils), zlib, cJSON, cmark, libmicrohttpd, ncurses with
		wide characters, each with its headers; for the tests also cmocka, Node.js with npm, Chromium
		and python3.
		LIST
		exit 1
	fi
	;;
esac
