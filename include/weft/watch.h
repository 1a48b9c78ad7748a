/*
 * What happens to names: files made, written, renamed, removed, in directories that are watched (inotify(7)).
 *
 *     struct wf_watch *watch;
 *     const struct wf_watch_event *event;
 *     int rc = wf_watch_open(&watch);
 *     if (rc < 0) return rc;
 *     rc = wf_watch_add(watch, "/etc/app", true);
 *     while (rc >= 0 && (rc = wf_watch_next(watch, &event)) > 0)
 *         if (event->kind == WF_WATCH_WRITTEN) rc = reload(event->path);
 *     wf_watch_close(watch);
 *
 * Events tell that something happened, not what is there now: look again. The system joins equal ones, and forgets all
 * when more than it keeps are unread: WF_WATCH_OVERFLOW says so, and whoever needs the truth lists everything anew.
 * Changes by other machines on network disks are not seen. Threads: the loop that opened it; one task reads at a time.
 */
#ifndef WEFT_WATCH_H
#define WEFT_WATCH_H

#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_watch;

enum wf_watch_kind {
    WF_WATCH_MADE,     /* a name is there: made, linked, or moved from a place that is not watched */
    WF_WATCH_CHANGED,  /* the contents, or mode, times, links */
    WF_WATCH_WRITTEN,  /* who had it open for writing closed it */
    WF_WATCH_REMOVED,  /* the name is gone: removed, or moved to a place that is not watched */
    WF_WATCH_RENAMED,  /* `from` is now `path` */
    WF_WATCH_ENDED,    /* what was added is itself gone, and watched no more */
    WF_WATCH_OVERFLOW, /* events are lost; `path` is "" */
};

struct wf_watch_event {
    enum wf_watch_kind kind;
    const char *path; /* below what was added, as it was given; valid until the next call */
    const char *from; /* of WF_WATCH_RENAMED; else NULL */
    bool directory;
};

/* Suspends: never. Owns: wf_watch_close. Errors: -EMFILE, -ENOMEM. */
WF_API WF_CHECKED int wf_watch_open(struct wf_watch **watch);

/*
 * Watches a file, or the names in a directory; `recursive`: in those below it too, and in those that will be made there
 * (what was put into a new one before it was watched is told as made). Symbolic links below are not followed.
 * Suspends: yes. On cancel: of several directories, some may be watched. Errors: the system's, with the path; -ENOSPC
 * when the system's limit (fs.inotify.max_user_watches) or ours of 8192 directories for each watch is reached.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_watch_add(struct wf_watch *watch, const char *path, bool recursive);

/* Watches it no more, nor what is below. Suspends: never. Errors: -ENOENT when it was not added. */
WF_API int wf_watch_remove(struct wf_watch *watch, const char *path);

/*
 * The next event: 1; or 0 when nothing is watched any more and everything was told.
 * Suspends: until something happens. On cancel: no event is lost. Errors: -EBUSY when another task waits, -EBADF when
 * it was closed meanwhile; -ENOSPC when a new directory can no longer be watched: the others are.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_watch_next(struct wf_watch *watch, const struct wf_watch_event **event);

/* NULL is ignored. Who waits gets -EBADF. Suspends: never. */
WF_API void wf_watch_close(struct wf_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
