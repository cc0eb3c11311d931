/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <ncurses.h>
#include <signal.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static SCREEN *screen;
static bool color;

/* ---- whatever happens, the terminal comes back ---- */

static struct termios before;
static char restore[256]; /* what the terminal is told: end of colours, cursor, the main screen */
static size_t restore_len;
static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* endwin() may not be called here; write() and tcsetattr() may (signal-safety(7)). */
static void on_fatal(int sig)
{
	if (write(STDOUT_FILENO, restore, restore_len) == (ssize_t)restore_len)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	raise(sig); /* SA_RESETHAND: it ends as it would have */
}

static void remember(const char *capability)
{
	const char *text = tigetstr(capability);
	size_t len = text && text != (char *)-1 ? strlen(text) : 0;

	if (len && restore_len + len < sizeof(restore)) {
		memcpy(restore + restore_len, text, len);
		restore_len += len;
	}
}

static void guard(void)
{
	struct sigaction action = {.sa_handler = on_fatal, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};

	restore_len = 0;
	remember("sgr0");
	remember("op");
	remember("cnorm");
	remember("rmkx");
	remember("rmcup");
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

/* ---- colours ---- */

/* The viewer's palette in the 256 colours that most terminals have, and in the eight that all have. */
static const struct {
	short many, few;
} palette[ROLES] = {
	[ROLE_RUNNING] = {36, COLOR_GREEN}, [ROLE_READY] = {221, COLOR_YELLOW}, [ROLE_GIL] = {209, COLOR_RED},
	[ROLE_LOCK] = {140, COLOR_MAGENTA}, [ROLE_DISK] = {69, COLOR_BLUE}, [ROLE_NETWORK] = {81, COLOR_CYAN},
	[ROLE_PARTY] = {217, COLOR_MAGENTA}, [ROLE_SLEEP] = {250, COLOR_WHITE}, [ROLE_KERNEL] = {137, COLOR_YELLOW},
	[ROLE_PARKED] = {245, COLOR_WHITE}, [ROLE_STOPPED] = {245, COLOR_WHITE}, [ROLE_WARN] = {203, COLOR_RED},
	[ROLE_UNKNOWN] = {203, COLOR_RED},
};

static void start_colors(void)
{
	if (!has_colors() || start_color() == ERR)
		return;
	color = true;
	use_default_colors();
	for (int role = 0; role < ROLES; role++) {
		short one = COLORS >= 256 ? palette[role].many : palette[role].few;

		init_pair((short)(role + 1), palette[role].many ? one : -1, -1);
	}
}

static attr_t look_of(enum frame_role role)
{
	attr_t look = color ? (attr_t)COLOR_PAIR(role + 1) : A_NORMAL;

	switch (role) {
	case ROLE_STRONG:
		return A_BOLD;
	case ROLE_FAINT:
		return A_DIM;
	case ROLE_BAR:
		return A_REVERSE;
	case ROLE_WARN:
		return look | A_BOLD;
	default:
		return look;
	}
}

/* ---- the screen ---- */

bool screen_possible(void)
{
	char *cup;
	int code;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || setupterm(NULL, STDOUT_FILENO, &code) == ERR)
		return false;
	cup = tigetstr("cup");
	return cup && cup != (char *)-1;
}

int screen_open(bool with_color, struct error *err)
{
	tcgetattr(STDIN_FILENO, &before);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return error_set(err, -ENOTTY, "this terminal cannot show it; use --batch");
	guard();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	set_escdelay(25);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (with_color)
		start_colors();
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	color = false;
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], SIG_DFL);
}

bool screen_color(void)
{
	return color;
}

void screen_size(int *width, int *height)
{
	*width = COLS;
	*height = LINES;
}

/* One run of one role, from line @y on; returns the line that it ends in. Lines were clipped by who wrote
 * them; one that fills its line leaves the cursor in the next, so lines are counted here. */
static int draw_run(const char *text, size_t len, int y)
{
	for (;;) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		addnstr(text, (int)n);
		if (!end || y + 1 >= LINES)
			return y;
		move(++y, 0);
		text += n + 1;
		len -= n + 1;
	}
}

void screen_draw(const struct frame_page *page)
{
	size_t at = 0;
	int y = 0;

	erase();
	move(0, 0);
	for (u32 i = 0; i < page->n_runs; i++) {
		attrset(look_of(page->runs[i].role));
		y = draw_run(page->text.data + at, page->runs[i].end - at, y);
		at = page->runs[i].end;
	}
	attrset(A_NORMAL);
	refresh();
}

int screen_key(void)
{
	int key = getch();

	switch (key) {
	case ERR:
		return SCREEN_NONE;
	case KEY_UP:
		return SCREEN_UP;
	case KEY_DOWN:
		return SCREEN_DOWN;
	case KEY_PPAGE:
		return SCREEN_PAGE_UP;
	case KEY_NPAGE:
		return SCREEN_PAGE_DOWN;
	case KEY_HOME:
		return SCREEN_HOME;
	case KEY_RESIZE:
		return SCREEN_RESIZED;
	case 12: /* Ctrl-L: somebody else wrote on it */
		clearok(stdscr, TRUE);
		return SCREEN_RESIZED;
	default:
		return key;
	}
}
