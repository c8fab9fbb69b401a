/* One enclave that uses all of the platform; assembly/everything.ts and everything.rs are the same one. */
#define CASEMATE_ALLOCATOR
#include "casemate.h"

/* Text in quotes, as pointer and length. */
#define TEXT(text) (text), sizeof(text) - 1

static uint8_t *allocate(uint32_t length) {
  uint8_t *bytes = casemate_alloc(length);
  if (bytes == 0) __builtin_trap();
  return bytes;
}

CASEMATE_EXPORT(greet) uint64_t greet(const uint8_t *name, uint32_t length) {
  uint64_t phrase = casemate_secret(TEXT("default/greet/phrase"));
  if (casemate_is_status(phrase)) return phrase;
  uint32_t size = casemate_length(phrase);
  uint8_t *line = allocate(size + length + 3);
  __builtin_memcpy(line, casemate_pointer(phrase), size);
  __builtin_memcpy(line + size, ", ", 2);
  __builtin_memcpy(line + size + 2, name, length);
  line[size + 2 + length] = '!';
  casemate_free(casemate_pointer(phrase), size);
  return casemate_bytes(line, size + length + 3);
}

CASEMATE_EXPORT(refuse) uint64_t refuse(const uint8_t *input, uint32_t length) {
  return length == 0 ? casemate_status(7) : casemate_bytes(input, length);
}

CASEMATE_EXPORT(setting) uint64_t setting(const char *name, uint32_t length) {
  uint64_t value = casemate_config(name, length);
  if (!casemate_is_status(value)) return value;
  static char none[] = "none";
  uint8_t *answer = allocate(4);
  __builtin_memcpy(answer, none, 4);
  return casemate_bytes(answer, 4);
}

CASEMATE_EXPORT(draw) uint64_t draw(const uint8_t *input, uint32_t length) {
  if (length == 0) __builtin_trap();
  uint8_t *bytes = allocate(input[0]);
  casemate_random(bytes, input[0]);
  return casemate_bytes(bytes, input[0]);
}

CASEMATE_EXPORT(say) uint64_t say(const char *line, uint32_t length) {
  casemate_log(line, length);
  return CASEMATE_EMPTY;
}

CASEMATE_EXPORT(lock) uint64_t lock(const uint8_t *input, uint32_t length) {
  return casemate_seal(input, length, TEXT("label"), CASEMATE_MRSIGNER);
}

CASEMATE_EXPORT(open) uint64_t open(const uint8_t *blob, uint32_t length) {
  uint64_t opened = casemate_unseal(blob, length);
  if (casemate_is_status(opened)) return opened;
  /* The size of the additional data, the data, the plaintext; a colon goes where they meet. */
  uint8_t *bytes = casemate_pointer(opened);
  uint32_t size, all = casemate_length(opened);
  __builtin_memcpy(&size, bytes, 4);
  __builtin_memmove(bytes, bytes + 4, size);
  bytes[size] = ':';
  __builtin_memmove(bytes + size + 1, bytes + size + 4, all - size - 4);
  return casemate_bytes(bytes, all - 3);
}

/* Keeps its first input, and answers it ever after. */
CASEMATE_EXPORT(keep) uint64_t keep(const uint8_t *input, uint32_t length) {
  static uint8_t *first = 0;
  static uint32_t size = 0;
  if (first == 0) {
    first = allocate(length);
    size = length;
    __builtin_memcpy(first, input, length);
  }
  uint8_t *answer = allocate(size);
  __builtin_memcpy(answer, first, size);
  return casemate_bytes(answer, size);
}

CASEMATE_EXPORT(crash) uint64_t crash(const uint8_t *input, uint32_t length) {
  (void)input, (void)length;
  casemate_log(TEXT("no way"));
  __builtin_trap();
}

CASEMATE_EXPORT(starve) uint64_t starve(const uint8_t *input, uint32_t length) {
  (void)input, (void)length;
  for (;;) *allocate(1 << 20) = 1;
}

/* For the allocator of the header: 64 blocks of random sizes, given back in random order, each full of its own number.
   How many bytes were not what was written. */
CASEMATE_EXPORT(juggle) uint64_t juggle(const uint8_t *seed, uint32_t length) {
  static uint8_t *blocks[64];
  static uint32_t sizes[64];
  uint32_t random = length == 0 ? 1 : seed[0] + 1, wrong = 0;
  for (uint32_t round = 0; round < 1000; round++) {
    random = random * 1664525 + 1013904223;
    uint32_t place = random >> 26, size = (random >> 8) % ((random & 1) ? 100 : 60000);
    for (uint32_t at = 0; blocks[place] != 0 && at < sizes[place]; at++) wrong += blocks[place][at] != (uint8_t)place;
    casemate_free(blocks[place], sizes[place]);
    blocks[place] = allocate(size);
    if (((uintptr_t)blocks[place] & 15) != 0) wrong++;
    sizes[place] = size;
    __builtin_memset(blocks[place], (int)place, size);
  }
  for (uint32_t place = 0; place < 64; place++) {
    casemate_free(blocks[place], sizes[place]);
    blocks[place] = 0;
  }
  uint32_t *answer = casemate_alloc(4);
  *answer = wrong;
  return casemate_bytes(answer, 4);
}

/* Takes all memory there is, MiB by MiB, and gives it back; how many there were. */
CASEMATE_EXPORT(fill) uint64_t fill(const uint8_t *input, uint32_t length) {
  (void)input, (void)length;
  static uint8_t *blocks[64];
  uint8_t count = 0;
  while ((blocks[count] = casemate_alloc((1 << 20) - 16)) != 0) count++;
  for (uint8_t at = 0; at < count; at++) casemate_free(blocks[at], (1 << 20) - 16);
  uint8_t *answer = allocate(1);
  *answer = count;
  return casemate_bytes(answer, 1);
}
