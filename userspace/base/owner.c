/* SPDX-License-Identifier: MIT */
#include "base/owner.h"

#include <stdlib.h>
#include <unistd.h>

static bool env_id(const char *name, unsigned long *id)
{
	const char *text = getenv(name);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*id = strtoul(text, &end, 10);
	return !*end && !errno && *id < UINT32_MAX;
}

bool owner_invoker(uid_t *uid, gid_t *gid)
{
	unsigned long u, g;

	if (geteuid() || !env_id("SUDO_UID", &u) || !env_id("SUDO_GID", &g))
		return false;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return true;
}

void owner_give(int fd)
{
	uid_t uid;
	gid_t gid;

	if (owner_invoker(&uid, &gid) && fchown(fd, uid, gid))
		return;
}
