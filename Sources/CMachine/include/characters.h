// Which of 64 bytes are what, one bit a byte, bit 0 for the first: the move from a vector of comparisons to a mask has
// no Swift spelling.
#ifndef RCNN_CHARACTERS_H
#define RCNN_CHARACTERS_H

#include <stdint.h>
#include <string.h>

typedef uint8_t machine_bytes64 __attribute__((ext_vector_type(64)));
typedef _Bool machine_bits64 __attribute__((ext_vector_type(64)));

#define MACHINE_MASK(flags) \
  ({ \
    machine_bits64 bits = __builtin_convertvector((flags), machine_bits64); \
    uint64_t mask; \
    memcpy(&mask, &bits, sizeof mask); \
    mask; \
  })

static inline uint64_t machine_newlines(const void *bytes) {
  machine_bytes64 block;
  memcpy(&block, bytes, sizeof block);
  return MACHINE_MASK(block == '\n');
}

/// Bytes that do not merely continue a JSON string of plain ASCII: quotes, backslashes, control characters, 0x80 and up.
static inline uint64_t machine_string_specials(const void *bytes) {
  machine_bytes64 block;
  memcpy(&block, bytes, sizeof block);
  return MACHINE_MASK((block == '"') | (block == '\\') | (block < 0x20) | (block >= 0x80));
}

/// The characters that arrays of JSON numbers are made of.
struct machine_number_characters {
  uint64_t digits, zeros, dots, minuses, commas, opens, closes, spaces, others;
};

static inline struct machine_number_characters machine_number_characters(const void *bytes) {
  machine_bytes64 block;
  memcpy(&block, bytes, sizeof block);
  struct machine_number_characters found = {
    .digits = MACHINE_MASK((machine_bytes64)(block - '0') < 10),
    .zeros = MACHINE_MASK(block == '0'),
    .dots = MACHINE_MASK(block == '.'),
    .minuses = MACHINE_MASK(block == '-'),
    .commas = MACHINE_MASK(block == ','),
    .opens = MACHINE_MASK(block == '['),
    .closes = MACHINE_MASK(block == ']'),
    .spaces = MACHINE_MASK((block == ' ') | (block == '\n') | (block == '\r') | (block == '\t')),
  };
  found.others = ~(found.digits | found.dots | found.minuses | found.commas | found.opens | found.closes | found.spaces);
  return found;
}

#endif
