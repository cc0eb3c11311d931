// SPDX-License-Identifier: MIT
// Everything that the page says, in English and in Korean; and how numbers are written.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* What one waits for, where "waiting for a " and the kind's name would be wrong. */
const WAITING_FOR = {
	gil: "the GIL", rwlock: "a read-write lock", disk: "the disk", network: "the network", terminal: "the terminal",
	kernel: "the kernel", other: "something else", fault: "a page of memory", child: "a child process", join: "a thread's end",
	poll: "an event", sleep: "a time to come",
};

/* And in Korean, where the kind's name is not what one waits for. */
const WAITING_FOR_KO = { poll: "이벤트", join: "스레드의 끝", fault: "메모리 페이지", other: "다른 것", sleep: "정한 시각" };
const target = (kind) => WAITING_FOR_KO[kind.name] ?? kind.label_ko;

/* Particles that follow a final consonant, or none; Latin letters by how they are read aloud, quotes are not. */
function particle(word, closed, open) {
	const said = word.replace(/"$/, ""), last = said.codePointAt(said.length - 1), hangul = last >= 0xac00 && last <= 0xd7a3;
	const shut = hangul ? (last - 0xac00) % 28 > 0 : /([lmn]|ng|[013678])$/i.test(said);

	return word + (shut ? closed : open);
}

corun.words = {
	en: {
		inFlight: "in flight", running: "running", demand: "demand", usable: "usable CPUs",
		ready: "ready", stopped: "stopped", unknown: "unknown", parked: "parked", andParked: "and parked",
		ofWhich: (d) => `${d} in flight, of which`, threads: "Threads in flight", tasksInFlight: "Tasks in flight",
		height: "height: concurrency", green: "green: parallelism", cpus: (n) => `${Number(n.toFixed(2))} CPU${n === 1 ? "" : "s"}`,
		kind: (kind) => kind.label, holderOf: (kind, id) => `${kind}${id ? ` ${id}` : ""}, held by`, heldBy: "held by", criticalPath: "Critical path",
		inPhase: (from, to) => `In the phase from ${from} to ${to}:`,
		waitingFor: (kind) => kind.name === "sleep" ? "asleep" : `waiting for ${WAITING_FOR[kind.name] ?? `a ${kind.label}`}`,
		parkedIn: (kind) => `waiting in ${kind.label} (parked)`, queue: "ready: in the run queue",
		preempted: (who) => who ? `ready (preempted by ${who})` : "ready (preempted)",
		whole: "whole run", search: "Search thread, lock, call", save: "Save", help: "?",
		savePng: "Picture (PNG)", saveSvg: "Drawing (SVG)", savePrint: "Print", copy: "Copy", copied: "Copied",
		selectedRun: "Selected run", selectedWait: "Selected wait", selectedState: "Selected", selectedTime: "Selected time", esc: "esc",
		at: "at", until: (t) => `until ${t}`, on: "on", releasedBy: "released by", wokenBy: "woken by",
		atTime: (who, t) => `${who} at ${t}`, ranAfter: "ran after", onCpuAfter: (d, cpu) => cpu === null ? d : `${d}, on CPU ${cpu}`,
		onCpu: "on CPU", call: "where", waited: (who, d, kind) =>
			kind.name === "sleep" ? `${who} slept for ${d}` : `${who} waited ${d} for ${WAITING_FOR[kind.name] ?? `a ${kind.label}`}`,
		ran: (who, d) => `${who} ran for ${d}`, wasReady: (who, d) => `${who} was ready for ${d}`,
		was: (who, s, d) => `${who} was ${s} for ${d}`, of: "of that",
		blocked: (d) => `blocked ${d}`, readyFor: (d) => `ready ${d}`, ranFor: (d) => `ran ${d}`, asked: "asked",
		turns: (n, d) => `${n} turns of ${d} on average, one wait`, whoHeld: (kind) => `Who held the ${kind} meanwhile`,
		between: (d) => `and ${d} between: the whole wait.`, others: (n) => `and ${n} more`,
		chain: "Who woke whom", chainNone: "nobody of these threads",
		notKnown: "not known", wall: "wall time", cpuTime: "CPU time", idle: "CPUs idle", handOffs: "hand-offs",
		oneEvery: (d) => `one every ${d}`, maximum: (n) => `max ${n}`, serialThread: "thread",
		verdict: "verdict", against: "against", lost: (n, ns, share) =>
			`${n} events were lost; ${ns} of the threads' time is unknown (${share}). Hatched: not known, never guessed.`,
		cut: (at) => `The recording was cut at ${at}. All before that is whole.`, part: (what) => `A part of the recording: ${what}.`,
		damaged: (at) => `The recording is damaged after ${at}. All before that is whole.`,
		empty: "Nothing was recorded: no thread of the traced set lived in the window. Was the right process recorded?",
		thread: "thread", task: "task", awaits: "awaits", createdBy: "created by", outcome: "outcome",
		tasks: "tasks", threadsCount: "threads", moreTasks: (n) => `… and ${n} more tasks`,
		releasedArrow: (who) => `released by ${who}`, wokenArrow: (who) => `woken by ${who}`,
		old: "This browser is too old for this page: it lacks DecompressionStream. Chrome 80, " +
			"Firefox 113, Safari 16.4 and later have it.",
		broken: "The data in this page cannot be read: the file was cut or changed.",
		failed: (what) => `Something went wrong in this page: what it shows may not be whole (${what}).`,
		foreign: (name) => `${name} is no page of corun. Drop a file that "corun export -f html" wrote.`,
		droppedCut: (name) => `The data in ${name} cannot be read: the file was cut or changed.`,
		lostCount: (n) => `${n} lost`, usableOf: (n) => `${n} usable`, sooner: (d) => `${d} sooner`,
		keys: ["W S zoom", "A D pan", "click: select", "drag on the axis: a range", "F fit", "M mark", "Space play", "/ search", "? help"],
		helpTitle: "Help", helpRows: [["W  S", "zoom at the pointer; also Ctrl and the wheel, or two fingers"],
			["A  D", "pan; also dragging, or Shift and the wheel"], ["click, tap", "what a slice is: how long, on what, who woke it"],
			["← →  ↑ ↓", "the thread's next slice, the next thread"], ["drag on the axis", "a range with figures of its own; also a long press"],
			["M", "the selection becomes the range"], ["F", "fits the view to the range, the selection, or all"],
			["/", "search by thread, lock, call or text; Enter goes to the next"], ["Space", "play"], [",  .", "one event back, one on"],
			["1 to 4, Enter", "choose an answer, show it"], ["Esc", "lets go"], ["a dropped page", "is shown instead of this one"]],
		legend: "What the colours mean", close: "Close",
		table: "The figures as a table", share: "share", state: "state", time: "time",
		outOf: (n, m) => `${n} of ${m}`, found: (n) => `${n} found`, theme: "light or dark",
		play: "Play", playBoth: "Play both", pause: "Pause", stepBack: "one event back", stepOn: "one event on", byEvent: "event by event",
		second: "1 s of screen shows", nobody: "empty", zoneWait: "Waiting", zoneWaitFor: (what) => `${what[0].toUpperCase()}${what.slice(1)}`,
		queueShort: "Queue", zoneCpu: "Running on a CPU", zoneWaitNote: "asleep until what they wait for comes", zoneQueueNote: "waiting for a CPU",
		knife: (who, d) => `The knife (the GIL) is in the hand of ${who}.`, reveal: "Show the answer",
		stepQuestion: "Question", stepAnswer: "Answer", idleCpu: (n) => n === 1 ? "one CPU is idle" : `${n} CPUs are idle`,
		now: (ran, ready, waiting, parked) => `${ran} running, ${ready} in the queue, ${waiting} waiting` +
			(parked ? `; ${parked} parked.` : "."),
		tasksInstead: (many, few) => `${many} in flight at once instead of ${few}.`, subject: (name) => name,
		rangeFigures: (flight, running) => `${flight} in flight, ${running} running`,
		classes: { idle: "idle", serial: "serial, one thing at a time", "io-bound": "bound by waiting, not by the CPU",
			"concurrent-not-parallel": "concurrent, not parallel", parallel: "parallel",
			oversubscribed: "parallel, and more threads than CPUs" },
		because: { wait: (share, what) => `${share} of it was waiting, most of it: ${what}.`,
			gil: "The GIL let one thread run at a time.", lock: (share, what) => `They waited for each other: ${share} of it was for a ${what}.`,
			load: "Other programs had the CPUs part of the time.", queue: (n, cpus) => `${n} wanted to run on ${cpus}.`,
			loop: "An event loop waited for something to happen." },
	},
	ko: {
		inFlight: "진행 중", running: "실행 중", demand: "수요", usable: "쓸 수 있는 CPU",
		ready: "대기열", stopped: "정지됨", unknown: "알 수 없음", parked: "할 일 없음", andParked: "할 일 없음",
		ofWhich: (d) => `진행 중 ${d} 가운데`, threads: "진행 중인 스레드", tasksInFlight: "진행 중인 태스크",
		height: "높이: 동시성", green: "초록: 병렬성", cpus: (n) => `CPU ${Number(n.toFixed(2))}개`,
		kind: (kind) => kind.label_ko, holderOf: (kind, id) => id ? `${kind} ${id}, 쥔 스레드` : `${particle(kind, "을", "를")} 쥔 스레드`, heldBy: "쥔 스레드", criticalPath: "임계 경로",
		inPhase: (from, to) => `${from}부터 ${to}까지의 국면:`,
		waitingFor: (kind) => kind.name === "sleep" ? "자고 있음" : `${particle(target(kind), "을", "를")} 기다림`,
		parkedIn: (kind) => `${particle(target(kind), "을", "를")} 기다림(할 일 없음)`, queue: "대기열에서 차례를 기다림",
		preempted: (who) => who ? `대기열(${who}에게 밀려남)` : "대기열(밀려남)",
		whole: "전체", search: "스레드, 락, 호출 찾기", save: "저장", help: "?",
		savePng: "그림(PNG)", saveSvg: "벡터 그림(SVG)", savePrint: "인쇄", copy: "복사", copied: "복사했습니다",
		selectedRun: "선택한 실행", selectedWait: "선택한 기다림", selectedState: "선택한 구간", selectedTime: "선택한 시간", esc: "esc",
		at: "시각", until: (t) => `${t}까지`, on: "대상", releasedBy: "놓아 준 스레드", wokenBy: "깨운 스레드",
		atTime: (who, t) => `${who}, ${t}`, ranAfter: "다시 실행", onCpuAfter: (d, cpu) => cpu === null ? d : `${d} 뒤, CPU ${cpu}`,
		onCpu: "CPU", call: "위치", waited: (who, d, kind) => kind.name === "sleep" ? `${particle(who, "이", "가")} ${d} 동안 잤다` :
			`${particle(who, "이", "가")} ${particle(target(kind), "을", "를")} ${d} 동안 기다렸다`,
		ran: (who, d) => `${particle(who, "이", "가")} ${d} 동안 실행되었다`, wasReady: (who, d) => `${particle(who, "이", "가")} 대기열에서 ${d} 동안 기다렸다`,
		was: (who, s, d) => `${who}: ${d} 동안 ${s}`, of: "그 가운데",
		blocked: (d) => `잠듦 ${d}`, readyFor: (d) => `대기열 ${d}`, ranFor: (d) => `실행 ${d}`, asked: "시도",
		turns: (n, d) => `평균 ${d}씩 ${n}번, 합쳐서 기다림 하나`, whoHeld: (kind) => `그동안 ${particle(kind, "을", "를")} 쥔 스레드`,
		between: (d) => `넘겨주는 사이 ${d}까지 더하면 기다린 시간 전체가 된다.`, others: (n) => `그 밖에 ${n}개`,
		chain: "누가 누구를 깨웠나", chainNone: "이 스레드들 밖에서 깨움",
		notKnown: "알 수 없음", wall: "걸린 시간", cpuTime: "CPU 시간", idle: "CPU가 논 시간", handOffs: "넘겨준 횟수",
		oneEvery: (d) => `${d}마다 한 번`, maximum: (n) => `최대 ${n}`, serialThread: "스레드",
		verdict: "판정", against: "대", lost: (n, ns, share) =>
			`사건 ${n}개를 놓쳤습니다. 스레드 시간 가운데 ${ns}(${share})는 알 수 없습니다. 빗금은 모르는 곳입니다.`,
		cut: (at) => `기록이 ${at}에서 끊겼습니다. 그 앞부분은 온전합니다.`, part: (what) => `기록의 일부입니다: ${what}.`,
		damaged: (at) => `기록이 ${at}부터 손상되었습니다. 그 앞부분은 온전합니다.`,
		empty: "기록된 것이 없습니다. 그 시간에 살아 있던 스레드가 없습니다. 기록한 프로세스가 맞는지 확인해 주세요.",
		thread: "스레드", task: "태스크", awaits: "기다리는 태스크", createdBy: "만든 태스크", outcome: "결과",
		tasks: "태스크", threadsCount: "스레드", moreTasks: (n) => `… 그 밖에 태스크 ${n}개`,
		releasedArrow: (who) => `${particle(who, "이", "가")} 놓아 줌`, wokenArrow: (who) => `${particle(who, "이", "가")} 깨움`,
		old: "브라우저가 오래되어 이 페이지를 열 수 없습니다(DecompressionStream이 없음). Chrome 80, " +
			"Firefox 113, Safari 16.4 이상에서 열어 주세요.",
		broken: "이 페이지의 데이터를 읽을 수 없습니다. 파일이 잘렸거나 바뀌었습니다.",
		failed: (what) => `이 페이지에 문제가 생겨, 보이는 것이 전부가 아닐 수 있습니다(${what}).`,
		foreign: (name) => `corun 파일이 아닙니다(${name}). corun export -f html로 만든 파일을 열어 주세요.`,
		droppedCut: (name) => `${name}의 데이터를 읽을 수 없습니다. 파일이 잘렸거나 바뀌었습니다.`,
		lostCount: (n) => n ? `${n}개 놓침` : "놓친 사건 없음", usableOf: (n) => `쓸 수 있는 CPU ${n}개`, sooner: (d) => `${d} 먼저 끝남`,
		keys: ["W S 확대·축소", "A D 이동", "클릭: 선택", "축에서 끌기: 구간", "F 맞춤", "M 구간으로", "Space 재생", "/ 찾기", "? 도움말"],
		helpTitle: "도움말", helpRows: [["W  S", "포인터 자리에서 확대·축소. Ctrl과 휠, 두 손가락으로도 됩니다"],
			["A  D", "이동. 끌거나 Shift와 휠로도 됩니다"], ["클릭, 탭", "그 조각이 무엇이고, 얼마 동안이고, 누가 깨웠는지 보여 줍니다"],
			["← →  ↑ ↓", "같은 스레드의 다음 조각, 다음 스레드"], ["축에서 끌기", "구간을 골라 그 구간만의 수치를 봅니다. 길게 눌러도 됩니다"],
			["M", "선택한 조각을 구간으로 삼습니다"], ["F", "구간, 선택한 조각, 또는 전체를 화면에 맞춥니다"],
			["/", "스레드, 락, 호출, 글자로 찾기. Enter로 다음 것"], ["Space", "재생"], [",  .", "사건 하나 뒤로, 앞으로"],
			["1~4, Enter", "답 고르기, 답 보기"], ["Esc", "선택 풀기"], ["파일 놓기", "놓은 corun 페이지를 대신 엽니다"]],
		legend: "색의 뜻", close: "닫기",
		table: "수치 표", share: "비율", state: "상태", time: "시간",
		outOf: (n, m) => `${m}개 중 ${n}번째`, found: (n) => `${n}개 찾음`, theme: "밝게·어둡게",
		play: "재생", playBoth: "함께 재생", pause: "멈춤", stepBack: "사건 하나 뒤로", stepOn: "사건 하나 앞으로", byEvent: "사건 하나씩",
		second: "화면 1초에", nobody: "비었음", zoneWait: "기다림", zoneWaitFor: (what) => what, queueShort: "대기열", zoneCpu: "CPU에서 실행 중",
		zoneWaitNote: "기다리는 것이 올 때까지 자고 있다", zoneQueueNote: "CPU를 기다림",
		knife: (who) => `칼(GIL)은 ${who}의 손에 있다.`, reveal: "답 보기",
		stepQuestion: "질문", stepAnswer: "답", idleCpu: (n) => `CPU ${n === 1 ? "하나가" : `${n}개가`} 논다`,
		now: (ran, ready, waiting, parked) => `실행 중 ${ran}개, 대기열 ${ready}개, 기다림 ${waiting}개` +
			(parked ? `, 할 일 없음 ${parked}개.` : "."),
		tasksInstead: (many, few) => `함께 진행 중인 것은 ${few}개가 아니라 ${many}개.`, subject: (name) => particle(name, "이", "가"),
		rangeFigures: (flight, running) => `${flight}개가 진행 중, 실행 중은 ${running}개`,
		classes: { idle: "쉬고 있다", serial: "한 번에 한 가지씩", "io-bound": "CPU가 아니라 기다림이 길다",
			"concurrent-not-parallel": "동시성은 있고 병렬성은 없다", parallel: "병렬이다", oversubscribed: "병렬이지만 CPU가 모자란다" },
		because: { wait: (share, what) => `그 시간의 ${share}를 기다렸고, 가장 긴 것은 ${what}이다.`,
			gil: "GIL이 한 번에 한 스레드만 실행시켰다.", lock: (share, what) => `서로를 기다렸다: 그 시간의 ${share}가 락(${what})을 기다린 시간이다.`,
			load: "다른 프로그램도 CPU를 썼다.", queue: (n, cpus) => `${cpus}에서 ${n}개가 실행되려 했다.`, loop: "이벤트 루프가 이벤트를 기다렸다." },
	},
};

/* "1.25 s", "41.2 ms", "340 µs": three significant figures, a unit on every one. */
corun.duration = function (ns) {
	const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
	let at = units.findIndex(([u]) => ns >= u);

	if (at < 0)
		at = 3;
	/* 999.9 ms is written 1.00 s. */
	if (at > 0 && Math.round(ns / units[at][0]) >= 1000)
		at--;
	const value = ns / units[at][0];

	return `${value >= 99.95 || Number.isInteger(value) ? Math.round(value) : value.toPrecision(3)} ${units[at][1]}`;
};

/* A point in time, to the microsecond: "375.631 ms". */
corun.instant = (ns) => ns >= 1e9 ? `${(ns / 1e9).toFixed(6)} s` : `${(ns / 1e6).toFixed(3)} ms`;

corun.percent = (share) => `${(100 * share).toFixed(1)} %`;
