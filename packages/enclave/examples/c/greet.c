/* The enclave of the README in C: greets with a secret of the broker. */
#define CASEMATE_ALLOCATOR
#include "casemate.h"

static const char PHRASE[] = "default/greet/phrase";

CASEMATE_EXPORT(greet) uint64_t greet(const uint8_t *name, uint32_t length) {
  uint64_t phrase = casemate_secret(PHRASE, sizeof PHRASE - 1);
  if (casemate_is_status(phrase)) return phrase;
  uint32_t size = casemate_length(phrase);
  uint8_t *line = casemate_alloc(size + length + 3);
  if (line == 0) __builtin_trap();
  __builtin_memcpy(line, casemate_pointer(phrase), size);
  __builtin_memcpy(line + size, ", ", 2);
  __builtin_memcpy(line + size + 2, name, length);
  line[size + 2 + length] = '!';
  casemate_free(casemate_pointer(phrase), size);
  return casemate_bytes(line, size + length + 3);
}
