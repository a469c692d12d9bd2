/*
 * stream.h: the bytes of a file from first to last, as they are or inflated on the way, however many they are: never more than a window of
 * them is held. Bytes that are not packed are the window themselves.
 */
#ifndef LC_SOURCE_STREAM_H
#define LC_SOURCE_STREAM_H

#include "base/base.h"
#include "source/zip.h"
#include "source/zlib_memory.h"

typedef struct lc_stream {
    lc_cursor packed, rest;      /* all the bytes, and those that zlib has not been given */
    const lc_zip_member *member; /* whose bytes they are: it says how many will come and their checksum; NULL: none */
    int form;                    /* windowBits of zlib; 0: not packed */
    bool live, ended;            /* the z_stream has memory; nothing more will come */
    z_stream z;
    uint8_t *buffer;  /* owned; NULL: not packed */
    lc_cursor window; /* what is there to be read */
    uint64_t made;    /* bytes that came into windows so far */
    uint32_t crc;     /* of them, for a member */
} lc_stream;

/* True when the bytes begin like a gzip file. */
bool lc_gzip_probe(lc_cursor bytes);
/* Bytes as they are, or those that a gzip file holds (all its members, one after the other). Borrowed. */
lc_status lc_stream_open(lc_stream *stream, lc_cursor bytes, lc_error *err);
/* Those that a zlib stream holds (RFC 1950). */
lc_status lc_stream_open_zlib(lc_stream *stream, lc_cursor bytes, lc_error *err);
/* The contents of a zip member. Both are borrowed. */
lc_status lc_stream_open_member(lc_stream *stream, const lc_zip *zip, const lc_zip_member *member, lc_error *err);
void lc_stream_close(lc_stream *stream); /* a zeroed one is fine */
/* Begins again. */
lc_status lc_stream_rewind(lc_stream *stream, lc_error *err);
/* Makes sure that stream->window has bytes, unless there are no more. */
lc_status lc_stream_fill(lc_stream *stream, lc_error *err);
/* The first bytes of a stream that has just been opened, at least 64 KiB where there are so many; they stay to be read. */
lc_status lc_stream_head(lc_stream *stream, lc_cursor *head, lc_error *err);
/* Reads up to `size` bytes, fewer only at the end; *got says how many. `to` NULL: they are passed over. */
lc_status lc_stream_read(lc_stream *stream, void *to, uint64_t size, uint64_t *got, lc_error *err);

#endif
