// SPDX-License-Identifier: MIT
// The address space without lxcore's range [LX_BASE, LX_END): to the guest it looks like memory
// that is not mapped and cannot be (task/memory.c).
#ifndef LX_MEMORY_H
#define LX_MEMORY_H

#include <stdbool.h>

#include "lib.h"
#include "rewrite.h"
#include "types.h"

// Does [addr, addr + len) reach into lxcore's range? An empty range counts as its first byte. One
// that wraps around does not: the kernel refuses it.
bool memory_hits_lxcore(uptr addr, size_t len);
// Where a mapping that the kernel would put into a hole of lxcore's range goes instead: an address
// where len bytes are mapped without access. 0: nowhere.
uptr memory_place_below(size_t len);
// mmap(2) for a guest's mapping.
long memory_map(uptr addr, size_t len, int prot, int flags, int fd, long offset);

// ---- Images with rewritten text (loader/rewritten.c, include/rewrite.h) ----

// What lies where, for signal handlers and /proc/PID/maps. An entry is written whole before its
// state is, and stays as long as its slots: a thread may be in them.
enum { IMAGE_FREE, IMAGE_LIVE, IMAGE_PLAIN }; // PLAIN: the text is the original again
struct image {
    u32 state;
    u32 segments;
    uptr slots, slots_end;
    struct {
        uptr at, end;
        u64 original_at; // in the cache entry
    } text[REWRITE_SEGMENTS];
    u64 checksum;                  // of the cache entry
    char name[REWRITE_INDEX_SIZE]; // of the cache entry
};
#define IMAGES_MAX 128
#define CLEANS_MAX 64
#define GUARDS_MAX 16
// All that were ever used: the calling thread's address space has one table.
struct image *memory_images(u32 *n);
// A free entry to be filled; NULL: there is none. The caller holds memory_images_lock().
struct image *memory_image_new(void);
struct lock *memory_images_lock(void);
// Does pc lie in a slot?
bool memory_in_slots(uptr pc);
// Is there a jump to a slot at pc that is no window's beginning, but stands in the padding between
// functions or inside another window?
bool memory_is_pad(uptr pc);
// Goes from one slot to the next, from an image's beginning on. False: there are no more.
bool memory_next_slot(uptr *slot);
// The length of the window of a slot, where it ended (at the `syscall`), and the bytes that it had
// before it was moved.
u32 memory_slot_original(uptr slot, uptr *end, u8 window[REWRITE_SLOT]);
// A fault at pc: was rewritten text copied by the program, and has the copy run? Its jump leads to
// nowhere, which pc is then, or it has come to a trap (`trapped`), which is no site. Then what it
// was copied from is put back in it, and the thread goes on at *go_on. The engine must be armed.
bool memory_mend_copy(uptr pc, bool trapped, uptr *go_on);
// Puts the window of the slot at pc back in the program's text, for a core file. False: it cannot.
bool memory_put_back(uptr pc);
// For pc in a slot: the address in the program's own text that stands there.
uptr memory_slot_origin(uptr pc);
// For pc inside a window, behind its first byte, where a jump's bytes are now: the place in its
// slot to go on at. Else pc.
uptr memory_window_slot(uptr pc);
// Is all code in this address space clean (include/rewrite.h), and run by one thread? No more,
// ever.
bool memory_is_clean(void);
void memory_not_clean(void);
// Files that are mapped from now on keep their own text: the program may be one that reads code, to
// translate it.
void memory_keep_text(void);
bool memory_keeps_text(void);
// Is there a site at pc that was rewritten to trap?
bool memory_is_site(uptr pc);
// Makes one that has no window an ordinary instruction again.
bool memory_put_back_site(uptr pc);
// Clean text lies in [from, to) from now on. False: there are too many such
// places. Some that were unmapped stay known.
bool memory_add_clean(uptr from, uptr to);
bool memory_hits_clean(uptr from, uptr to);
// Guards (include/rewrite.h): pages [from, to) of the text of a live image that are not executable,
// till a fault at one of them opens them. False: there are too many. The caller holds
// memory_images_lock(), also to forget those of an image that goes.
bool memory_add_guard(const struct image *m, uptr from, uptr to);
void memory_forget_guards(const struct image *m);
bool memory_hits_guard(uptr from, uptr to);
// Makes the guard at addr executable: the caller has armed the engine, and every thread will be.
// True: go on there, for it is, or was in that moment.
bool memory_open_guard(uptr addr);
// Gives [from, to) a protection, but for guards.
long memory_protect(uptr from, uptr to, int prot);
// May [from, to) hold slots or rewritten text? Tells quickly that it does not.
bool memory_near_images(uptr from, uptr to);
// An image lies in [from, to) from now on.
void memory_image_span(uptr from, uptr to);

#endif
