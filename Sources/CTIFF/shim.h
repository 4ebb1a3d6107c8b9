// libtiff, reading from memory or from a part of a file, with its messages kept instead of printed.
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

typedef struct {
  // The content, or NULL where `descriptor` is read from `start` on.
  const uint8_t *bytes;
  int descriptor;
  int64_t start, count, position;
  // The first error; empty if there was none.
  char message[256];
  // Whether data were asked for that lie behind the end.
  int is_short;
} ctiff_source;

static inline tmsize_t ctiff_read(thandle_t handle, void *target, tmsize_t length) {
  ctiff_source *source = (ctiff_source *)handle;
  int64_t left = source->position < 0 || source->position > source->count ? 0 : source->count - source->position;
  if (length > left) {
    source->is_short = 1;
    length = (tmsize_t)left;
  }
  tmsize_t done = 0;
  while (done < length) {
    if (source->bytes) {
      memcpy(target, source->bytes + source->position, (size_t)length);
      done = length;
      break;
    }
    ssize_t got = pread(
        source->descriptor, (char *)target + done, (size_t)(length - done),
        (off_t)(source->start + source->position + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += got;
  }
  source->position += done;
  return done;
}

static inline tmsize_t ctiff_write(thandle_t handle, void *bytes, tmsize_t length) { return 0; }

static inline toff_t ctiff_seek(thandle_t handle, toff_t offset, int whence) {
  ctiff_source *source = (ctiff_source *)handle;
  int64_t base = whence == SEEK_CUR ? source->position : whence == SEEK_END ? source->count : 0;
  source->position = (int64_t)((uint64_t)base + offset);
  return (toff_t)source->position;
}

static inline int ctiff_close(thandle_t handle) { return 0; }

static inline toff_t ctiff_size(thandle_t handle) { return (toff_t)((ctiff_source *)handle)->count; }

// Memory is there as a whole. (Some releases refuse tiles without compression that they read piece by piece.)
static inline int ctiff_map(thandle_t handle, void **base, toff_t *size) {
  ctiff_source *source = (ctiff_source *)handle;
  *base = (void *)source->bytes;
  *size = (toff_t)source->count;
  return source->bytes != NULL;
}

static inline void ctiff_unmap(thandle_t handle, void *base, toff_t size) {}

static inline int ctiff_note(TIFF *file, void *user, const char *module, const char *format, va_list arguments) {
  ctiff_source *source = (ctiff_source *)user;
  if (source->message[0] == 0) vsnprintf(source->message, sizeof source->message, format, arguments);
  return 1;
}

static inline int ctiff_ignore(TIFF *file, void *user, const char *module, const char *format, va_list arguments) {
  return 1;
}

// Opens the first picture. The library allocates no more than `limit` bytes at once.
static inline TIFF *ctiff_open(ctiff_source *source, int64_t limit) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!options) return NULL;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)limit);
  TIFFOpenOptionsSetErrorHandlerExtR(options, ctiff_note, source);
  TIFFOpenOptionsSetWarningHandlerExtR(options, ctiff_ignore, source);
  source->position = 0;
  TIFF *file = TIFFClientOpenExt(
      "", "r", source, ctiff_read, ctiff_write, ctiff_seek, ctiff_close, ctiff_size, ctiff_map, ctiff_unmap, options);
  TIFFOpenOptionsFree(options);
  return file;
}

static inline int ctiff_number(TIFF *file, uint32_t tag, uint32_t *value) { return TIFFGetField(file, tag, value); }

// A tag of 16 bits, or what it is when it is left out.
static inline int ctiff_small(TIFF *file, uint32_t tag) {
  uint16_t value = 0;
  return TIFFGetFieldDefaulted(file, tag, &value) ? value : 0;
}

// Red, green, blue, alpha of `count` pixels become blue, green, red, in place.
static inline void ctiff_pack(uint8_t *pixels, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t pixel;
    memcpy(&pixel, pixels + 4 * i, 4);
    pixels[3 * i] = TIFFGetB(pixel);
    pixels[3 * i + 1] = TIFFGetG(pixel);
    pixels[3 * i + 2] = TIFFGetR(pixel);
  }
}
