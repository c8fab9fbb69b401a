// The machines that guests of these tests run on: virtual platforms behind HTTP on loopback. POST the 64 bytes of report
// data to /{machine}/{tee} and the answer is the raw quote or report, in base64, as the driver of a real machine gives it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'

/** Fields of the reports that one machine makes, beside the report data. */
export interface Machine {
  readonly tdx?: Partial<Parameters<IntelPlatform['tdxQuote']>[0]>
  readonly sgx?: Partial<Parameters<IntelPlatform['sgxQuote']>[0]>
  readonly snp?: Partial<Parameters<AmdPlatform['snpReport']>[0]>
  /** Size of the event log that its firmware leaves to a TDX guest; none unless given. */
  readonly eventLogBytes?: number
}

export interface Hardware {
  readonly intel: IntelPlatform
  readonly amd: AmdPlatform
  /** Where the reports of a machine are had. */
  url(machine: string): string
  close(): void
}

export async function openHardware(machines: Readonly<Record<string, Machine>>): Promise<Hardware> {
  const intel = await createIntelPlatform()
  const amd = await createAmdPlatform({ modulusBits: 2048 })
  const leaf = amd.endorsements.find(({ name }) => name === 'leaf.der')
  const report = (machine: Machine, tee: string, reportData: Buffer): Uint8Array => {
    if (tee === 'tdx') return intel.tdxQuote({ reportData, ...machine.tdx })
    if (tee === 'sgx') return intel.sgxQuote({ reportData, ...machine.sgx })
    return amd.snpReport({ reportData, ...machine.snp })
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, name = '', tee = ''] = (request.url ?? '').split('/')
    const machine = machines[name] ?? {}
    const outblob = base64(report(machine, tee, Buffer.concat(await request.toArray())))
    const vcek = tee === 'snp' ? base64(leaf!.bytes) : null
    const ccel = machine.eventLogBytes === undefined ? null : base64(new Uint8Array(machine.eventLogBytes))
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ outblob, vcek, ccel }))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    intel,
    amd,
    url: machine => `http://127.0.0.1:${port}/${machine}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
