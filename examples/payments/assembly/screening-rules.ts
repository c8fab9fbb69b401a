// Names are compared by this data: words that say nothing, and how sounds are written down as one.
// Read by the enclave and, independently, by the reference.

/** Articles, forms of companies and titles: left out, unless nothing else is there. */
export const SILENT_WORDS: string =
  'A AB AG AL AND AS ASA BHD BIN BINT BV CIA CO COMPANY CORP CORPORATION CV DA DAS DE DEL DER DES DI DO DOS DR DU E EL EN ' +
  'EST ESTABLISHMENT ET EV FOR FZC FZCO FZE GMBH HAJI HAJJI IBN INC INCORPORATED JSC KG KK LA LAS LE LES LIMITED LLC LLP ' +
  'LOS LP LTD LTDA MBH MR MRS MS NV OAO OF OJSC OOO OY PAO PJSC PLC PT PTE PTY PVT S SA SAL SARL SAS SDN SE SENOR SL SPA ' +
  'SRL THE UND UR VAN VE VON Y ZAO'

/** Spellings of one sound, the longest first: what stands left of `>` becomes what stands right. */
export const SOUNDS: string =
  'TSCH>S SHCH>S DZH>J TCH>S SCH>S DSH>J OUX>U CH>S SH>S ZH>J DJ>J KH>K GH>G PH>F TH>T DH>D CK>K CE>SI CI>SI CY>SI CQ>K ' +
  'QU>KU OU>U OO>U EE>I EI>I EY>I AI>I AY>I IE>I IJ>I C>K Q>K W>V X>KS Y>I E>I O>U'

/** Of the weight of the words that the list's name does not have, one part in so many counts against a match. */
export const EXTRA_PARTS: number = 4
/** Words of a name, and letters of a word and of all its words together; more are not looked at. */
export const MAX_WORDS: number = 16
export const MAX_LETTERS: number = 24
export const MAX_JOINED: number = 64
