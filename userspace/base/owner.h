/* SPDX-License-Identifier: MIT */
/* owner.h - whose files are they: under sudo, the user's who called it. */
#ifndef CORUN_BASE_OWNER_H
#define CORUN_BASE_OWNER_H

#include "base/types.h"

/* The user who called sudo, by SUDO_UID and SUDO_GID; false when there is none or we are not root. */
bool owner_invoker(uid_t *uid, gid_t *gid);
/* Give the file behind @fd to that user, if there is one. A failure leaves it with root. */
void owner_give(int fd);

#endif
