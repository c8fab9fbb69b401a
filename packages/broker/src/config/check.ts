// Settings that must fit together; each one alone was checked when it was read.

import { StartError } from '../errors.ts'
import { type BrokerConfig, PASSPHRASE_VARIABLE } from './settings.ts'
import type { ListenAddress } from './units.ts'

/** @throws {StartError} `config-conflict`, `tls-required` */
export function checkConfig(config: BrokerConfig): void {
  if ((config.tlsCertFile === null) !== (config.tlsKeyFile === null)) {
    throw new StartError('config-conflict', 'tlsCertFile and tlsKeyFile belong together, only one is set', {
      hint: config.tlsCertFile === null ? 'set tlsCertFile as well' : 'set tlsKeyFile as well',
    })
  }
  requireTls('listen', config.listen, config)
  if (config.metricsListen !== 'off') requireTls('metricsListen', config.metricsListen, config)
  checkPassphrase(config)
  // Intel's service answers a request with both by 400.
  if (config.tcbUpdate !== null && config.tcbEvaluationDataNumber !== null) {
    throw new StartError('config-conflict', 'tcbUpdate and tcbEvaluationDataNumber exclude each other', {
      hint: 'the number names one edition of TCB info, the update the newest or the enforced one',
    })
  }
}

function requireTls(name: string, address: ListenAddress, config: BrokerConfig): void {
  if (config.tlsCertFile !== null || isLoopback(address.host)) return
  throw new StartError(
    'tls-required',
    `${name} is ${address.host}, which others can reach, and there is no TLS`,
    {
      hint: 'set tlsCertFile and tlsKeyFile, or listen on 127.0.0.1',
    },
  )
}

/** Literal addresses only, and `localhost`, which the broker reads as 127.0.0.1 without asking a resolver. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function checkPassphrase({ kekSource, kekPassphrase, kekPassphraseFile }: BrokerConfig): void {
  const given = [kekPassphrase, kekPassphraseFile].filter(source => source !== null).length
  if (kekPassphrase?.reveal() === '') {
    throw new StartError('config-invalid', `${PASSPHRASE_VARIABLE} is empty`, {
      hint: 'set it to the passphrase, or unset it',
    })
  }
  if (kekSource === 'passphrase' && given !== 1) {
    throw new StartError(
      'config-conflict',
      `kekSource is passphrase and ${given} passphrases are given, want one`,
      {
        hint: 'set CASEMATE_KEK_PASSPHRASE or kekPassphraseFile',
      },
    )
  }
  if (kekSource === 'file' && given > 0) {
    throw new StartError('config-conflict', 'a passphrase is given, and kekSource is file', {
      hint: 'set kekSource to passphrase',
    })
  }
}
