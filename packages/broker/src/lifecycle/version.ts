// The version of this broker, as its package says it.

import manifest from '../../package.json' with { type: 'json' }

export const { version: VERSION } = manifest
