/* The calling convention of enclaves, version 1: see ABI.md. Define CASEMATE_ALLOCATOR before it is included in one file
   of a module that has no allocator of its own. */
#ifndef CASEMATE_H
#define CASEMATE_H

#include <stdint.h>

#if defined(__wasm__)
#define CASEMATE_EXPORT(name) __attribute__((export_name(#name)))
#define CASEMATE_IMPORT(name) __attribute__((import_module("casemate"), import_name(#name)))
#else
#define CASEMATE_EXPORT(name)
#define CASEMATE_IMPORT(name)
#endif

/* No bytes, and the statuses of the platform. */
#define CASEMATE_EMPTY ((uint64_t)0)
#define CASEMATE_NONE 1u
#define CASEMATE_SEAL_MALFORMED 2u
#define CASEMATE_SEAL_SVN_TOO_NEW 3u
#define CASEMATE_SEAL_CPU_SVN_TOO_NEW 4u
#define CASEMATE_SEAL_MAC_MISMATCH 5u
#define CASEMATE_INVALID_PARAMETER 6u
#define CASEMATE_SEAL_TRUNCATED 7u
#define CASEMATE_SEAL_ROOT_MISMATCH 8u
#define CASEMATE_SEAL_ENCLAVE_MISMATCH 9u
#define CASEMATE_SEAL_SIGNER_MISMATCH 10u
#define CASEMATE_SEAL_PRODUCT_MISMATCH 11u
#define CASEMATE_SEAL_DEBUG_MISMATCH 12u

/* Results: bytes, or a status instead of them, which is not 0. */
static inline uint64_t casemate_bytes(const void *pointer, uint32_t length) {
  return length == 0 ? CASEMATE_EMPTY : ((uint64_t)(uint32_t)(uintptr_t)pointer << 32) | length;
}
static inline uint64_t casemate_status(uint32_t status) { return status; }

/* What the platform answered. */
static inline int casemate_is_status(uint64_t result) { return result >> 32 == 0 && result != 0; }
static inline uint8_t *casemate_pointer(uint64_t result) { return (uint8_t *)(uintptr_t)(result >> 32); }
static inline uint32_t casemate_length(uint64_t result) { return (uint32_t)result; }

CASEMATE_IMPORT(log) void casemate_log(const void *text, uint32_t length);
CASEMATE_IMPORT(random) void casemate_random(void *bytes, uint32_t length);
CASEMATE_IMPORT(config) uint64_t casemate_config(const char *name, uint32_t length);
/* The path is repository/type/tag, and must be declared in the manifest's `secrets`. */
CASEMATE_IMPORT(secret) uint64_t casemate_secret(const char *path, uint32_t length);

/* Policies of sealing: this measurement, or this signer and product id. */
#define CASEMATE_MRENCLAVE 1u
#define CASEMATE_MRSIGNER 2u
CASEMATE_IMPORT(seal)
uint64_t casemate_seal(const void *data, uint32_t length, const void *additional, uint32_t additional_length, uint32_t policy);
CASEMATE_IMPORT(unseal) uint64_t casemate_unseal(const void *blob, uint32_t length);

/* Also for the code itself. 0 where there is no memory left; what the platform answered is given back here, too. */
CASEMATE_EXPORT(casemate_alloc) void *casemate_alloc(uint32_t length);
CASEMATE_EXPORT(casemate_free) void casemate_free(void *pointer, uint32_t length);

#if defined(CASEMATE_ALLOCATOR) && defined(__wasm__)
/* The first free block that is large enough; free neighbours become one. Sizes are of a block with its head. */
struct casemate_block {
  uint32_t size;
  struct casemate_block *next;
  uint64_t fills_16_bytes;
};
extern uint8_t __heap_base;
static struct casemate_block *casemate_free_blocks = 0; /* In the order of their addresses. */
static uintptr_t casemate_heap_end = 0;

static void casemate_give(struct casemate_block *block) {
  struct casemate_block **place = &casemate_free_blocks, *before = 0;
  for (; *place != 0 && *place < block; place = &before->next) before = *place;
  block->next = *place;
  if ((uintptr_t)block + block->size == (uintptr_t)block->next) {
    block->size += block->next->size;
    block->next = block->next->next;
  }
  if (before != 0 && (uintptr_t)before + before->size == (uintptr_t)block) {
    before->size += block->size;
    before->next = block->next;
  } else {
    *place = block;
  }
}

/* More memory behind what there is, in pages, so that the last free block has this size. */
static int casemate_grow(uint32_t size, const struct casemate_block *last) {
  if (casemate_heap_end == 0) casemate_heap_end = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  uint32_t free = last != 0 && (uintptr_t)last + last->size == casemate_heap_end ? last->size : 0;
  uint64_t end = (uint64_t)casemate_heap_end + size - free;
  uint64_t there = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  uint32_t pages = end > there ? (uint32_t)((end - there + 65535) >> 16) : 0;
  /* The last page is left alone: no block ends where addresses do. */
  if (end > UINT32_MAX - 65536 || __builtin_wasm_memory_grow(0, pages) == (__SIZE_TYPE__)-1) return 0;
  struct casemate_block *block = (struct casemate_block *)casemate_heap_end;
  casemate_heap_end = (uintptr_t)(end > there ? there + ((uint64_t)pages << 16) : there);
  block->size = (uint32_t)(casemate_heap_end - (uintptr_t)block);
  casemate_give(block);
  return 1;
}

CASEMATE_EXPORT(casemate_alloc) void *casemate_alloc(uint32_t length) {
  if (length > UINT32_MAX - 65536) return 0;
  uint32_t size = (length + (uint32_t)sizeof(struct casemate_block) + 15) & ~15u;
  for (;;) {
    struct casemate_block **place = &casemate_free_blocks, *last = 0;
    for (; *place != 0 && (*place)->size < size; place = &last->next) last = *place;
    struct casemate_block *block = *place;
    if (block == 0) {
      if (!casemate_grow(size, last)) return 0;
      continue;
    }
    *place = block->next;
    if (block->size > size) {
      struct casemate_block *rest = (struct casemate_block *)((uintptr_t)block + size);
      rest->size = block->size - size;
      rest->next = block->next;
      *place = rest;
      block->size = size;
    }
    return block + 1;
  }
}

CASEMATE_EXPORT(casemate_free) void casemate_free(void *pointer, uint32_t length) {
  (void)length;
  if (pointer != 0) casemate_give((struct casemate_block *)pointer - 1);
}
#endif

#endif
