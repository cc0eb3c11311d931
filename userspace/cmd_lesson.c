/* SPDX-License-Identifier: MIT */
/* cmd_lesson.c - the course: list, show, run and check its lessons, and begin new ones. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cmd.h"
#include "lesson/course.h"
#include "lesson/skeleton.h"
#include "lesson/work.h"

struct options {
	const char *chosen;                /* --lang, or NULL */
	enum lesson_language language;     /* the same, English by default */
	const char *out;    /* folder of the pages */
	bool kept, keep;    /* judge the kept recordings; keep the new ones */
	char folder[4096];  /* of the lessons */
};

enum { OPT_LANG = 256, OPT_OUT, OPT_KEPT, OPT_KEEP };

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"lang", required_argument, NULL, OPT_LANG},
		{"out", required_argument, NULL, OPT_OUT},
		{"kept", no_argument, NULL, OPT_KEPT},
		{"keep", no_argument, NULL, OPT_KEEP},
		{NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){.out = "lessons"};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case OPT_LANG:
			if (cmd_parse_language(cmd, optarg, &o->chosen))
				return 2;
			o->language = cmd_korean(o->chosen) ? LESSON_KO : LESSON_EN;
			break;
		case OPT_OUT:
			o->out = optarg;
			break;
		case OPT_KEPT:
			o->kept = true;
			break;
		case OPT_KEEP:
			o->keep = true;
			break;
		default:
			return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun lesson --help",
					 argv[optind - 1]);
		}
	}
	if (o->kept && o->keep)
		return cmd_usage(cmd, "give one of --kept and --keep");
	return 0;
}

/* ---- list, show ---- */

static int list(const struct cmd *cmd, const struct options *o)
{
	struct lesson **lessons;
	struct error err = {0};
	u32 n;
	int code = lessons_read(o->folder, &lessons, &n, &err);

	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	for (u32 i = 0; i < n; i++) {
		const struct lesson *l = lessons[i];

		printf("%3u  %-22s %s\n", l->order, l->name, l->concept.in[o->language]);
	}
	lessons_free(lessons, n);
	return 0;
}

static int show(const struct cmd *cmd, const struct options *o, const char *name)
{
	struct lesson *lesson;
	struct error err = {0};
	int code = lesson_read(o->folder, name, &lesson, &err);

	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	fputs(lesson->text[o->language].markdown, stdout);
	lesson_free(lesson);
	return 0;
}

/* ---- run ---- */

/* Where a lesson's files go, or the kept recording of a variant. */
static void path_of(char *path, const char *folder, const char *name, const char *variant, const char *suffix)
{
	if (variant)
		snprintf(path, PATH_MAX, "%.3000s/%.300s/%.300s%s", folder, name, variant, suffix);
	else
		snprintf(path, PATH_MAX, "%.3000s/%.300s%s", folder, name, suffix);
}

/* Record every variant into @folder. Only Ctrl-C and what stops all lessons alike are errors. */
static int record_all(const struct lesson *l, const char *folder, struct judgement *j, struct error *err)
{
	char trace[PATH_MAX], log[PATH_MAX];
	struct error unbuilt = {0};
	int code = work_prepare(l, folder, err);
	int built = code ? code : work_build(folder, &unbuilt);

	for (u32 i = 0; !code && i < l->n_variants; i++) {
		const struct lesson_variant *v = &l->variants[i];
		struct error why = {0};

		if (built) {
			judgement_missing(j, i, true, "%s", error_text(&unbuilt, built));
			continue;
		}
		if (cmd_progress()) {
			fprintf(stderr, "\r\033[K  %s: recording %s (%u of %u)", l->name, v->name, i + 1, l->n_variants);
			fflush(stderr);
		}
		snprintf(trace, sizeof(trace), "%.3500s/%.300s.corun", folder, v->name);
		snprintf(log, sizeof(log), "%.3500s/%.300s.log", folder, v->name);
		code = work_record(v, folder, &why);
		if (code == -EINTR)
			*err = why;
		else if (code)
			judgement_missing(j, i, true, "%s", error_text(&why, code));
		else
			judgement_take(j, i, trace, log);
		code = code == -EINTR ? code : 0;
	}
	if (cmd_progress())
		fputs("\r\033[K", stderr);
	return code;
}

/* The kept recordings, copied beside the page that shows them. */
static int take_kept(const struct options *o, const struct lesson *l, const char *folder, struct judgement *j,
		     struct error *err)
{
	char kept[PATH_MAX], trace[PATH_MAX];
	int code = work_folder(folder, err);

	for (u32 i = 0; !code && i < l->n_variants; i++) {
		path_of(kept, o->folder, l->name, l->variants[i].name, ".corun");
		snprintf(trace, sizeof(trace), "%.3500s/%.300s.corun", folder, l->variants[i].name);
		if (access(kept, R_OK)) {
			judgement_missing(j, i, false, "no recording is kept");
			continue;
		}
		code = work_copy(kept, trace, err);
		if (!code)
			judgement_take(j, i, trace, NULL);
	}
	return code;
}

static int keep_all(const struct options *o, const struct judgement *j, struct error *err)
{
	char kept[PATH_MAX];
	int code = 0;

	for (u32 i = 0; !code && i < j->lesson->n_variants; i++) {
		/* What could not run here must not replace a recording from where it could. */
		if (!j->takes[i].trace || j->takes[i].skipped)
			continue;
		path_of(kept, o->folder, j->lesson->name, j->takes[i].variant->name, ".corun");
		code = work_copy(j->takes[i].trace, kept, err);
	}
	return code;
}

/* That it has to be "parallel" is met by "oversubscribed" where there are fewer CPUs. */
static void print_verdict(const struct take *t)
{
	char *const *wanted = t->variant->verdict;

	while (*wanted && strcmp(*wanted, t->verdict))
		wanted++;
	printf("  holds   %-24s %s: its verdict", t->verdict, t->variant->name);
	if (!*wanted)
		printf(" (%s, with CPUs enough)", t->variant->verdict[0]);
	putchar('\n');
}

static void print_result(const struct judgement *j, const char *page, enum lesson_language language)
{
	static const char *const outcomes[] = {"holds", "FAILS", "skipped"};
	const struct lesson *l = j->lesson;
	struct buf wrapped = BUF_INIT;
	char words[512];

	printf("%s: %s\n", l->name, l->title.in[language]);
	for (u32 i = 0; i < l->n_variants; i++)
		if (j->takes[i].failure)
			printf("  FAILS    %s: %s\n", l->variants[i].name, j->takes[i].failure);
		else if (j->takes[i].verdict)
			print_verdict(&j->takes[i]);
	for (u32 i = 0; i < l->n_claims; i++) {
		const struct claim_result *r = &j->claims[i];
		int room;

		printf("  %-8s", outcomes[r->outcome]);
		room = printf("%.20s%s %.20s%s", r->measured, strlen(r->measured) > 20 ? "..." : "", r->wanted,
			      strlen(r->wanted) > 20 ? "..." : "");
		if (room > 24) /* too long for its column: the words stand under it */
			printf("\n%*s", 35, "");
		else
			printf("%*s", 25 - room, "");
		snprintf(words, sizeof(words), "%.300s%s%.150s%s", l->claims[i].text.in[language], r->reason[0] ? " (" : "",
			 r->reason, r->reason[0] ? ")" : "");
		buf_clear(&wrapped);
		buf_put_wrapped(&wrapped, words, 35, 80);
		fputs(wrapped.failed ? "\n" : wrapped.data, stdout);
	}
	buf_free(&wrapped);
	printf("  %s\n\n", page);
}

/* 0, or the exit status after having said what is wrong. *@judged is owned by the caller. */
static int run_one(const struct cmd *cmd, const struct options *o, const struct lesson *l,
		   struct judgement **judged)
{
	struct judgement *j = judgement_new(l);
	char folder[PATH_MAX], page[PATH_MAX];
	struct error err = {0};
	int code;

	if (!j)
		return cmd_fail(cmd, "out of memory");
	path_of(folder, o->out, l->name, NULL, "");
	snprintf(page, sizeof(page), "%.3500s/%.300s.html", folder, l->name);
	code = o->kept ? take_kept(o, l, folder, j, &err) : record_all(l, folder, j, &err);
	if (!code)
		code = judgement_judge(j, &err);
	if (!code && o->keep && judgement_good(j))
		code = keep_all(o, j, &err);
	if (!code)
		code = course_write_lesson(j, folder, o->chosen, &err);
	if (code) {
		judgement_free(j);
		return cmd_fail(cmd, "%s: %s", l->name, error_text(&err, code)), code == -EINTR ? 130 : 1;
	}
	print_result(j, page, o->language);
	fflush(stdout);
	*judged = j;
	return 0;
}

static void print_sum(struct judgement *const *judged, u32 n)
{
	u32 held = 0, failed = 0, skipped = 0, broken = 0;

	for (u32 i = 0; i < n; i++) {
		if (!judged[i])
			continue;
		held += judged[i]->held;
		failed += judged[i]->failed;
		skipped += judged[i]->skipped;
		broken += judged[i]->broken;
	}
	printf("%u claims hold, %u fail, %u skipped", held, failed, skipped);
	if (broken)
		printf(", %u program%s went wrong", broken, broken == 1 ? "" : "s");
	putchar('\n');
}

/* @names of them, or all. */
static int run(const struct cmd *cmd, const struct options *o, char **names, int n_names)
{
	struct lesson **lessons = NULL;
	struct judgement **judged;
	struct error err = {0};
	u32 n = 0;
	int status = 0, code = lessons_read(o->folder, &lessons, &n, &err);

	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	judged = calloc(n + 1, sizeof(*judged));
	if (!judged) {
		lessons_free(lessons, n);
		return cmd_fail(cmd, "out of memory");
	}
	for (int i = 0; !status && i < n_names; i++) {
		u32 k = 0;

		while (k < n && strcmp(lessons[k]->name, names[i]))
			k++;
		if (k == n)
			status = cmd_usage(cmd, "there is no lesson '%s'; corun lesson list shows all", names[i]);
	}
	for (u32 i = 0; !status && i < n; i++) {
		bool chosen = !n_names;

		for (int k = 0; k < n_names; k++)
			chosen |= !strcmp(names[k], lessons[i]->name);
		if (chosen)
			status = run_one(cmd, o, lessons[i], &judged[i]);
	}
	if (!status)
		print_sum(judged, n);
	if (!status && !n_names) {
		code = course_write_index(judged, n, o->out, o->chosen, &err);
		if (code)
			status = cmd_fail(cmd, "%s", error_text(&err, code));
		else
			printf("open %s/index.html\n", o->out);
	}
	for (u32 i = 0; i < n; i++) {
		if (!status && judged[i] && !judgement_good(judged[i]))
			status = 1;
		judgement_free(judged[i]);
	}
	free(judged);
	lessons_free(lessons, n);
	return status;
}

/* ---- new ---- */

static int begin(const struct cmd *cmd, const char *name)
{
	struct error err = {0};
	int code = skeleton_write(name, &err);

	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	printf("%s is a lesson that runs: CORUN_LESSONS=. corun lesson run %s\n", name, name);
	return 0;
}

static int lesson_run(const struct cmd *cmd, int argc, char **argv)
{
	struct error err = {0};
	struct options o;
	const char *what;
	int code, n, status = parse(cmd, argc, argv, &o);

	if (status)
		return status;
	n = argc - optind - 1;
	if (n < 0)
		return cmd_usage(cmd, "say what to do: list, show NAME, run NAME..., all or new NAME");
	what = argv[optind];
	if (!strcmp(what, "new"))
		return n == 1 ? begin(cmd, argv[optind + 1]) : cmd_usage(cmd, "new takes a name");
	code = lessons_folder(o.folder, &err);
	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	if (!strcmp(what, "list") && !n)
		return list(cmd, &o);
	if (!strcmp(what, "show"))
		return n == 1 ? show(cmd, &o, argv[optind + 1]) : cmd_usage(cmd, "show takes a name");
	if (!strcmp(what, "run"))
		return n ? run(cmd, &o, argv + optind + 1, n) : cmd_usage(cmd, "run takes names; all runs all");
	if (!strcmp(what, "all") && !n)
		return run(cmd, &o, NULL, 0);
	return cmd_usage(cmd, "'%s' is not list, show NAME, run NAME..., all or new NAME", what);
}

const struct cmd cmd_lesson = {
	.name = "lesson",
	.arguments = "list | show NAME | run NAME... | all | new NAME [options]",
	.summary = "The course: record its lessons, check what they claim, write their pages",
	.help = "  list               a line for each lesson\n"
		"  show NAME          its text\n"
		"  run NAME...        record every variant, check the claims, write a page for each lesson\n"
		"  all                run all of them\n"
		"  new NAME           begin a lesson of your own in the folder NAME\n\n"
		"      --lang LANG    in English (en) or Korean (ko)\n"
		"      --out FOLDER   where pages and recordings go; default: lessons\n"
		"      --kept         take the recordings that are kept with the lessons: needs no root\n"
		"      --keep         keep the new recordings with the lessons, where every claim holds\n\n"
		"CORUN_LESSONS names the folder of the lessons; default: those that came with corun.\n",
	.run = lesson_run,
};
