// SPDX-License-Identifier: MIT
// Everything that the page says, in English and in Korean; and how numbers are written.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.words = {
	en: {
		inFlight: "in flight", running: "running", demand: "demand", usable: "usable CPUs",
		ready: "ready", stopped: "stopped", unknown: "unknown", parked: "and parked",
		ofWhich: "in flight, of which", threads: "Threads in flight", height: "height: concurrency",
		green: "green: parallelism", cpus: (n) => `${n} CPU${n === 1 ? "" : "s"}`,
		heldBy: "held by", criticalPath: "critical path", inPhase: (from, to) => `In the phase from ${from} to ${to}:`, waitingFor: (k) => `waiting: ${k}`, queue: "ready: in the run queue",
		preempted: (who) => who ? `ready (preempted by ${who})` : "ready (preempted)",
		whole: "whole run", search: "Search thread, lock, call", save: "Save", help: "?",
		selectedWait: "Selected", selectedTime: "Selected time", esc: "esc",
		at: "at", until: "until", on: "on", releasedBy: "released by", wokenBy: "woken by",
		onCpu: "on CPU", call: "call", waited: (who, d, k) => `${who} waited ${d} (${k})`,
		ran: (who, d) => `${who} ran ${d}`, wasReady: (who, d) => `${who} was ready for ${d}`,
		was: (who, s, d) => `${who} was ${s} for ${d}`, of: "of that",
		blocked: (d) => `blocked ${d}`, rest: (d) => `ready or running ${d}`, turns: "turns",
		notKnown: "not known", interval: "whole wait", wall: "wall time", cpuTime: "CPU time",
		verdict: "verdict", against: "against", lost: (n, ns, share) =>
			`${n} events were lost; ${ns} of the threads' time is unknown (${share}).`,
		cut: (at) => `The recording was cut at ${at}. All before that is whole.`,
		part: (what) => `A part of the recording: ${what}.`,
		damaged: (at) => `The recording is damaged after ${at}. All before that is whole.`,
		empty: "Nothing was recorded: no thread of the traced set lived in the window.",
		thread: "thread", task: "task", awaits: "awaits", createdBy: "created by", outcome: "outcome",
		moreTasks: (n) => `… and ${n} more tasks`,
		old: "This browser is too old for this page: it lacks DecompressionStream. Chrome 80, " +
			"Firefox 113, Safari 16.4 and later have it.",
		broken: "The data in this page cannot be read: the file was cut or changed.",
		foreign: (name) => `${name} is no page of corun. Drop a file that "corun export -f html" wrote.`,
		droppedCut: (name) => `The data in ${name} cannot be read: the file was cut or changed.`,
		lostCount: (n) => `${n} lost`, sooner: (d) => `${d} sooner`,
		keys: "W S zoom   A D pan   click: select   drag on the axis: a range   F fit   M mark   Space play   / search   ? help",
		helpText: "W and S zoom in and out at the pointer, A and D pan; the wheel with Ctrl zooms, " +
			"dragging pans. Click a slice to see what it is; drag on the axis for a range. " +
			"Left and right go to the thread's next slice, up and down to the next thread. " +
			"F fits the view to the selection or to all, M makes the selection a range, Esc lets go. Space plays, comma and full stop step by event. / searches. " +
			"Another page of corun that is dropped here is shown instead.",
		table: "The figures as a table", share: "share", state: "state", time: "time",
		outOf: (n, m) => `${n} of ${m}`, found: (n) => `${n} found`, theme: "light or dark",
		play: "Play", pause: "Pause", stepBack: "one event back", stepOn: "one event on", close: "Close",
		second: "a second shows", nobody: "empty", zoneWait: "Waiting", queueShort: "Queue", zoneCpu: "On a CPU",
		zoneWaitNote: "asleep until what they wait for comes", zoneQueueNote: "for a CPU",
		knife: "The knife is the GIL: who has it may run Python.", reveal: "Show the answer",
		now: (ran, ready, waiting, parked) => `${ran} running, ${ready} in the queue, ${waiting} waiting` +
			(parked ? `; ${parked} parked.` : "."),
	},
	ko: {
		inFlight: "진행 중", running: "실행 중", demand: "수요", usable: "쓸 수 있는 CPU",
		ready: "대기열", stopped: "정지됨", unknown: "알 수 없음", parked: "할 일 없음",
		ofWhich: "진행 중, 그 가운데", threads: "진행 중인 스레드", height: "높이: 동시성",
		green: "초록: 병렬성", cpus: (n) => `CPU ${n}개`,
		heldBy: "가진 스레드", criticalPath: "임계 경로", inPhase: (from, to) => `${from}부터 ${to}까지의 국면:`, waitingFor: (k) => `${k} 기다림`, queue: "대기열에서 차례를 기다림",
		preempted: (who) => who ? `대기열(${who}에게 밀려남)` : "대기열(밀려남)",
		whole: "전체", search: "스레드, 락, 호출 찾기", save: "저장", help: "?",
		selectedWait: "선택한 구간", selectedTime: "선택한 시간", esc: "esc",
		at: "시각", until: "까지", on: "대상", releasedBy: "놓아 준 스레드", wokenBy: "깨운 스레드",
		onCpu: "CPU", call: "호출", waited: (who, d, k) => `${who}: ${d} 동안 기다림(${k})`,
		ran: (who, d) => `${who}: ${d} 동안 실행`, wasReady: (who, d) => `${who}: ${d} 동안 대기열`,
		was: (who, s, d) => `${who}: ${d} 동안 ${s}`, of: "그 가운데",
		blocked: (d) => `멈춤 ${d}`, rest: (d) => `대기열 또는 실행 ${d}`, turns: "횟수",
		notKnown: "알 수 없음", interval: "기다림 전체", wall: "걸린 시간", cpuTime: "CPU 시간",
		verdict: "판정", against: "대", lost: (n, ns, share) =>
			`사건 ${n}개를 놓쳤습니다. 스레드 시간 가운데 ${ns}(${share})는 알 수 없습니다.`,
		cut: (at) => `기록이 ${at}에서 끊겼습니다. 그 앞부분은 온전합니다.`,
		part: (what) => `기록의 일부입니다: ${what}.`,
		damaged: (at) => `기록이 ${at} 뒤로 손상되었습니다. 그 앞부분은 온전합니다.`,
		empty: "기록된 것이 없습니다. 그 시간에 살아 있던 스레드가 없습니다.",
		thread: "스레드", task: "태스크", awaits: "기다리는 태스크", createdBy: "만든 태스크", outcome: "결과",
		moreTasks: (n) => `… 그 밖에 태스크 ${n}개`,
		old: "이 브라우저는 너무 오래되어 이 페이지를 열 수 없습니다(DecompressionStream이 없음). Chrome 80, " +
			"Firefox 113, Safari 16.4부터 됩니다.",
		broken: "이 페이지의 데이터를 읽을 수 없습니다. 파일이 잘렸거나 바뀌었습니다.",
		foreign: (name) => `${name}: corun 페이지가 아닙니다. "corun export -f html"로 만든 파일을 놓아 주세요.`,
		droppedCut: (name) => `${name}의 데이터를 읽을 수 없습니다. 파일이 잘렸거나 바뀌었습니다.`,
		lostCount: (n) => `${n}개 놓침`, sooner: (d) => `${d} 먼저`,
		keys: "W S 확대·축소   A D 이동   클릭: 선택   축에서 끌기: 구간   F 맞춤   M 표시   Space 재생   / 찾기   ? 도움말",
		helpText: "W와 S는 포인터 자리에서 확대·축소, A와 D는 이동입니다. Ctrl과 휠로도 확대하고, 끌어서 옮깁니다. " +
			"조각을 클릭하면 설명이 나오고, 축에서 끌면 구간을 고릅니다. 왼쪽·오른쪽은 같은 스레드의 다음 조각, " +
			"위·아래는 다음 스레드입니다. F는 화면에 맞추고, M은 선택한 조각을 구간으로 만들고, Esc는 선택을 풉니다. Space는 재생, 쉼표와 마침표는 사건 하나씩입니다. /는 찾기입니다. " +
			"다른 corun 페이지를 여기에 놓으면 그 페이지가 열립니다.",
		table: "수치 표", share: "비율", state: "상태", time: "시간",
		outOf: (n, m) => `${m}개 중 ${n}개`, found: (n) => `${n}개 찾음`, theme: "밝게·어둡게",
		play: "재생", pause: "멈춤", stepBack: "사건 하나 뒤로", stepOn: "사건 하나 앞으로", close: "닫기",
		second: "화면 1초에", nobody: "비었음", zoneWait: "기다림", queueShort: "대기열", zoneCpu: "CPU에서 실행 중",
		zoneWaitNote: "기다리는 것이 올 때까지 자고 있다", zoneQueueNote: "CPU를 기다림",
		knife: "칼이 GIL입니다. 칼을 쥔 스레드만 Python을 실행합니다.", reveal: "답 보기",
		now: (ran, ready, waiting, parked) => `실행 중 ${ran}개, 대기열 ${ready}개, 기다림 ${waiting}개` +
			(parked ? `, 할 일 없음 ${parked}개.` : "."),
	},
};

/* "1.25 s", "41.2 ms", "340 µs": three significant figures, a unit on every one. */
corun.duration = function (ns) {
	const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
	const [unit, name] = units.find(([u]) => ns >= u) ?? [1, "ns"];
	const value = ns / unit;

	return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toPrecision(3)} ${name}`;
};

/* A point in time, to the microsecond: "375.631 ms". */
corun.instant = (ns) => ns >= 1e9 ? `${(ns / 1e9).toFixed(6)} s` : `${(ns / 1e6).toFixed(3)} ms`;

corun.percent = (share) => `${(100 * share).toFixed(1)} %`;
