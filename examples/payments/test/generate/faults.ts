// Faults of a message, and oddities that are none: each a change of a valid one.
import type { Random } from './random.ts'

export type Change = (message: string, random: Random) => string

/** The first occurrence of an element's text becomes another. */
export function text(name: string, value: string): Change {
  return message => message.replace(new RegExp(`(<${name}(?: [^>]*)?>)[^<]*(</${name}>)`), `$1${value}$2`)
}

export function replace(from: string | RegExp, to: string): Change {
  return message => message.replace(from, to)
}

/** Not well-formed, or not of the schema: refused with FF01. */
export const BROKEN: Readonly<Record<string, Change>> = {
  'a document type': replace('<Document', '<!DOCTYPE Document [<!ENTITY a "b">]><Document'),
  'an entity that is not XML’s': text('MsgId', 'a&nbsp;b'),
  'an end that is missing': message => message.slice(0, -12),
  'a tag that is closed by another': replace('</MsgId>', '</MsgID>'),
  'text between elements': replace('<GrpHdr>', '<GrpHdr>text'),
  'a mandatory element that is missing': replace(/<EndToEndId>[^<]*<\/EndToEndId>/, ''),
  'elements in another order': message =>
    message.replace(/(<EndToEndId>[^<]*<\/EndToEndId>)(<TxId>[^<]*<\/TxId>)/, '$2$1'),
  'an element twice': message => message.replace(/(<ChrgBr>[^<]*<\/ChrgBr>)/, '$1$1'),
  'an element of nobody': replace('<ChrgBr>', '<Tip>5</Tip><ChrgBr>'),
  'an element within a text': text('EndToEndId', 'a<b>c</b>'),
  'a charge bearer of no list': text('ChrgBr', 'BOTH'),
  'an id that is too long': text('EndToEndId', 'X'.repeat(36)),
  'an id that is empty': text('EndToEndId', ''),
  'an amount in words': text('IntrBkSttlmAmt', 'ten'),
  'an amount with a comma': text('IntrBkSttlmAmt', '10,00'),
  'an amount below zero': text('IntrBkSttlmAmt', '-1'),
  'an amount with six decimals': text('IntrBkSttlmAmt', '1.123456'),
  'an amount of nineteen digits': text('IntrBkSttlmAmt', '1234567890123456789'),
  'an amount without a currency': replace(/<IntrBkSttlmAmt Ccy="[A-Z]*">/, '<IntrBkSttlmAmt>'),
  'a currency in small letters': replace(/<IntrBkSttlmAmt Ccy="[A-Z]*">/, '<IntrBkSttlmAmt Ccy="eur">'),
  'a currency where none belongs': replace('<ChrgBr>', '<ChrgBr Ccy="EUR">'),
  'an attribute of nobody': replace('<ChrgBr>', '<ChrgBr kind="x">'),
  'a day that does not exist': text('IntrBkSttlmDt', '2026-02-30'),
  'a moment that does not exist': text('CreDtTm', '2026-11-25T25:00:00'),
  'a BIC of nine letters': text('BICFI', 'ABCDDEFFX'),
  'an IBAN with a sign': text('IBAN', 'DE89-3704'),
  'another namespace': replace('pacs.008.001.07"', 'pacs.008.001.08"'),
  'no namespace': replace(/ xmlns="[^"]*"/, ''),
  'a prefix that is not bound': message =>
    message.replace('<ChrgBr>', '<x:ChrgBr>').replace('</ChrgBr>', '</x:ChrgBr>'),
  'an end of CDATA in a text': text('EndToEndId', 'a]]>b'),
  'a reference to no character': text('EndToEndId', '&#0;'),
  'an address of eight lines': replace(
    /<PstlAdr>.*?<\/PstlAdr>/,
    `<PstlAdr>${'<AdrLine>a</AdrLine>'.repeat(8)}</PstlAdr>`,
  ),
}

/** Well-formed and of the schema, and written as nobody expects: decided as if it were not. */
export const UNUSUAL: Readonly<Record<string, Change>> = {
  'white space between elements': replace(/></g, '>\r\n\t<'),
  'comments and instructions': message =>
    message.replace('<GrpHdr>', '<!-- head --><GrpHdr><?pi x?>').replace('<ChrgBr>', '<!-- - --><ChrgBr>'),
  'a comment within a text': replace('</EndToEndId>', '<!-- x --></EndToEndId>'),
  CDATA: message => message.replace(/<EndToEndId>([^<]*)</, '<EndToEndId><![CDATA[$1]]><'),
  'references to characters': message =>
    message.replace(/<TxId>T/, '<TxId>&#84;').replace(/<MsgId>M/, '<MsgId>&#x4D;'),
  'a prefix for every element': message =>
    message.replaceAll(/<(\/?)([A-Z])/g, '<$1p:$2').replace('xmlns="urn', 'xmlns:p="urn'),
  'single quotes': replace(/Ccy="([A-Z]{3})"/g, "Ccy='$1'"),
  'a schema location': replace('<GrpHdr>', '<GrpHdr xsi:schemaLocation="urn:a b.xsd">'),
  'a byte order mark': message => `\uFEFF${message}`,
  'amounts with a sign and zeros': message => message.replaceAll(/(<I\w+Amt Ccy="\w+">)(\d)/g, '$1+00$2'),
  'white space around a number': message =>
    message.replaceAll(/(<I\w+Amt Ccy="\w+">)([\d.]+)</g, '$1 \n$2 <'),
  'an envelope': message =>
    `<m><AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.01"><BizMsgIdr>1</BizMsgIdr>` +
    `<MsgDefIdr>pacs.008.001.07</MsgDefIdr></AppHdr>${message.replace(/^<\?xml[^>]*>/, '')}</m>`,
  'supplementary data of somebody': replace(
    '</CdtTrfTxInf>',
    '<SplmtryData><Envlp><x xmlns="urn:x" a="&lt;">t<y/>&amp;<![CDATA[<]]></x></Envlp></SplmtryData></CdtTrfTxInf>',
  ),
}

/** Valid, and still refused: with a reason of its own. */
export const WRONG: Readonly<Record<string, readonly [reason: string, change: Change]>> = {
  'a count that is not true': ['AM18', text('NbOfTxs', '7')],
  'a control sum that is not true': [
    'AM10',
    message =>
      message
        .replace(/<CtrlSum>[^<]*<\/CtrlSum>/, '')
        .replace('</NbOfTxs>', '</NbOfTxs><CtrlSum>0.01</CtrlSum>'),
  ],
  'a total that is not true': [
    'AM09',
    replace('<IntrBkSttlmDt>', '<TtlIntrBkSttlmAmt Ccy="EUR">0.01</TtlIntrBkSttlmAmt><IntrBkSttlmDt>'),
  ],
  'a message of the day after tomorrow': ['DT02', text('CreDtTm', '2026-11-28T00:00:00')],
  'no settlement date': ['DT01', replace(/<IntrBkSttlmDt>[^<]*<\/IntrBkSttlmDt>/, '')],
  'a settlement date of last month': ['DT01', text('IntrBkSttlmDt', '2026-10-01')],
  'a settlement date of next year': ['DT01', text('IntrBkSttlmDt', '2027-11-01')],
  'a debtor’s account with a wrong check digit': ['AC02', wrongIban('DbtrAcct')],
  'a creditor’s account with a wrong check digit': ['AC03', wrongIban('CdtrAcct')],
  'a debtor’s bank in no country': ['RC03', bank('DbtrAgt')],
  'a creditor’s bank in no country': ['RC04', bank('CdtrAgt')],
  'another bank in no country': ['RC01', bank('InstdAgt')],
  'a currency that does not exist': [
    'AM11',
    replace(/<IntrBkSttlmAmt Ccy="[A-Z]*">/, '<IntrBkSttlmAmt Ccy="ABC">'),
  ],
  'a currency that is not allowed': [
    'AM03',
    replace(/<IntrBkSttlmAmt Ccy="[A-Z]*">[^<]*/, '<IntrBkSttlmAmt Ccy="INR">5'),
  ],
  'yen with decimals': [
    'AM12',
    replace(/<IntrBkSttlmAmt Ccy="[A-Z]*">[^<]*/, '<IntrBkSttlmAmt Ccy="JPY">5.5'),
  ],
  'an amount of nothing': ['AM01', replace(/(<IntrBkSttlmAmt Ccy="[A-Z]*">)[^<]*/, '$10.0')],
  'an amount beyond the limit': [
    'AM02',
    replace(/<IntrBkSttlmAmt Ccy="[A-Z]*">[^<]*/, '<IntrBkSttlmAmt Ccy="EUR">1000000.01'),
  ],
}

function wrongIban(account: string): Change {
  return message =>
    message.replace(
      new RegExp(`(<${account}><Id><IBAN>..)(.)`),
      (_, before: string, digit: string) => before + (digit === '9' ? '0' : '9'),
    )
}

function bank(agent: string): Change {
  return message => message.replace(new RegExp(`(<${agent}><FinInstnId><BICFI>....)..`), '$1ZZ')
}
