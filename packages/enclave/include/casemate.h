/* The calling convention of enclaves, version 1: see ABI.md. Define CASEMATE_ALLOCATOR in one file of a module that has
   no allocator of its own; it gives out memory upwards and takes it back last in, first out. */
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

CASEMATE_EXPORT(casemate_alloc) void *casemate_alloc(uint32_t length);
CASEMATE_EXPORT(casemate_free) void casemate_free(void *pointer, uint32_t length);

#if defined(CASEMATE_ALLOCATOR) && defined(__wasm__)
extern uint8_t __heap_base;
static uintptr_t casemate_heap = 0;

CASEMATE_EXPORT(casemate_alloc) void *casemate_alloc(uint32_t length) {
  if (casemate_heap == 0) casemate_heap = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  uint64_t end = ((uint64_t)casemate_heap + length + 15) & ~(uint64_t)15;
  uint64_t size = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  if (end > size) {
    uint64_t pages = (end - size + 65535) >> 16;
    if (end > UINT32_MAX || __builtin_wasm_memory_grow(0, (uint32_t)pages) == (uint32_t)-1) return 0;
  }
  void *pointer = (void *)casemate_heap;
  casemate_heap = (uintptr_t)end;
  return pointer;
}

CASEMATE_EXPORT(casemate_free) void casemate_free(void *pointer, uint32_t length) {
  (void)length;
  if ((uintptr_t)pointer < casemate_heap) casemate_heap = (uintptr_t)pointer;
}
#endif

#endif
