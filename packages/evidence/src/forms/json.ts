// Forms of JSON, in the order in which they are tried: what is complete in itself before what only wraps something.

import { FOREIGN_JSON } from './foreign-json.ts'
import { JSON_BYTES, JSON_LIST, JSON_TEXT, JSON_WRAPPER, KBS_JSON } from './json-members.ts'
import type { Form } from './layer.ts'
import { PROTO_JSON } from './protobuf/forms.ts'

export const JSON_FORMS: readonly Form<unknown>[] = [
  JSON_TEXT,
  JSON_BYTES,
  JSON_LIST,
  FOREIGN_JSON,
  PROTO_JSON,
  KBS_JSON,
  JSON_WRAPPER,
]
