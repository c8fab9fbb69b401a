// The enclave's code without a platform. One process for all: its module is compiled once.
import './enclave/booking.ts'
import './enclave/decisions.ts'
import './enclave/hashes.ts'
import './enclave/message-limits.ts'
import './enclave/reading-limits.ts'
import './enclave/screening.ts'
import './enclave/screening-bounds.ts'
