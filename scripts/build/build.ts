// From the sources to what can be published: compiled, staged, packed. Step by step; each step reads what the one before
// it wrote in OUT, and nothing else that this checkout has.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compileRooms } from './compile.ts'
import { packRooms } from './pack.ts'
import { roomsOf } from './rooms.ts'
import { writeSboms } from './sbom.ts'
import { stageRoom } from './stage.ts'
import { stageCommand } from './stage-command.ts'

export interface Build {
  /** Of the sources. */
  readonly root: string
  /** `packages/`, `tarballs/` and `sboms/` in it are made anew. */
  readonly out: string
}

export async function build({ root, out }: Build): Promise<void> {
  const rooms = roomsOf(root)
  mkdirSync(out, { recursive: true })
  const compiled = mkdtempSync(join(out, 'compiled-'))
  try {
    compileRooms(root, compiled)
    for (const room of rooms) {
      if (room.manifest.bin === undefined) stageRoom(room, { root, out, compiled })
      else await stageCommand(room, rooms, { root, out })
    }
  } finally {
    rmSync(compiled, { recursive: true, force: true })
  }
  packRooms(rooms, out)
  writeSboms(rooms, root, out)
}
