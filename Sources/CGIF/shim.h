// giflib, reading from memory.
#include <gif_lib.h>
#include <stddef.h>
#include <string.h>

typedef struct {
  const unsigned char *bytes;
  size_t count, position;
} cgif_source;

static inline int cgif_read(GifFileType *file, GifByteType *target, int count) {
  cgif_source *source = (cgif_source *)file->UserData;
  size_t left = source->count - source->position;
  size_t length = count < 0 ? 0 : (size_t)count < left ? (size_t)count : left;
  memcpy(target, source->bytes + source->position, length);
  source->position += length;
  return (int)length;
}

static inline GifFileType *cgif_open(cgif_source *source, int *error) { return DGifOpen(source, cgif_read, error); }
