// The schema pacs.008.001.07 (FIToFICustomerCreditTransferV07) as data: what follows what, how often, of which type.
// Read by the enclave and, independently, by the reference; it is a fact of ISO 20022, not an algorithm.
//
// One complex type a line: `Name: Element=Type ...`; `Name| ...` is a choice of exactly one. After the type: `?` none
// or one, `*` any number, `+` at least one, `{n}` none to n. A type with a capital letter is complex. Simple ones:
// textN (1 to N characters), date, dateTime, time, boolean, decimalT.F (T digits, F of them after the point), numericN
// (1 to N digits), amount (decimal18.5, not negative, with attribute Ccy), bic, country, currency, iban, phone, any
// (one element of anybody's), and `A/B/C`, one of these codes. `#name` says what the enclave keeps of an element,
// `@name` whose it is, for everything inside.

/** Of the only version that is read; others, such as .08 with its UETR, are refused by their namespace. */
export const NAMESPACE: string = 'urn:iso:std:iso:20022:tech:xsd:pacs.008.001.07'

export const SCHEMA: string = `
Root: Document=Document
Document: FIToFICstmrCdtTrf=Transfer
Transfer: GrpHdr=Header CdtTrfTxInf#tx=Transaction+ SplmtryData=Supplementary*
Header: MsgId#msgId=text35 CreDtTm#created=dateTime BtchBookg=boolean? NbOfTxs#count=numeric15 CtrlSum#sum=decimal18.17? TtlIntrBkSttlmAmt#total=amount? IntrBkSttlmDt#headerDate=date? SttlmInf=Settlement PmtTpInf=PaymentType? InstgAgt@instgAgt=Agent? InstdAgt@instdAgt=Agent?
Settlement: SttlmMtd=INDA/INGA/COVE/CLRG SttlmAcct=Account? ClrSys=ClearingSystem? InstgRmbrsmntAgt@rmbrsmntAgt=Agent? InstgRmbrsmntAgtAcct=Account? InstdRmbrsmntAgt@rmbrsmntAgt=Agent? InstdRmbrsmntAgtAcct=Account? ThrdRmbrsmntAgt@rmbrsmntAgt=Agent? ThrdRmbrsmntAgtAcct=Account?
ClearingSystem| Cd=text3 Prtry=text35
PaymentType: InstrPrty=HIGH/NORM? ClrChanl=RTGS/RTNS/MPNS/BOOK? SvcLvl=Code4? LclInstrm=Code35? CtgyPurp=Code4?
Code4| Cd=text4 Prtry=text35
Code5| Cd=text5 Prtry=text35
Code35| Cd=text35 Prtry=text35
Agent: FinInstnId=Institution BrnchId=Branch?
Institution: BICFI#bic=bic? ClrSysMmbId=Member? Nm#name=text140? PstlAdr=Address? Othr=Identification?
Member: ClrSysId=Code5? MmbId=text35
Branch: Id=text35? Nm=text140? PstlAdr=Address?
Identification: Id=text35 SchmeNm=Code4? Issr=text35?
Address: AdrTp=ADDR/PBOX/HOME/BIZZ/MLTO/DLVY? Dept=text70? SubDept=text70? StrtNm=text70? BldgNb=text16? PstCd=text16? TwnNm=text35? CtrySubDvsn=text35? Ctry=country? AdrLine=text70{7}
Account: Id=AccountId Tp=Code4? Ccy=currency? Nm=text70?
AccountId| IBAN#iban=iban Othr=OtherAccount
OtherAccount: Id#account=text34 SchmeNm=Code4? Issr=text35?
Transaction: PmtId=PaymentId PmtTpInf=PaymentType? IntrBkSttlmAmt#amount=amount IntrBkSttlmDt#date=date? SttlmPrty=URGT/HIGH/NORM? SttlmTmIndctn=SettlementTimes? SttlmTmReq=SettlementRequest? AccptncDtTm=dateTime? PoolgAdjstmntDt=date? InstdAmt#instructed=amount? XchgRate=decimal11.10? ChrgBr=DEBT/CRED/SHAR/SLEV ChrgsInf=Charges* PrvsInstgAgt1@prvsInstgAgt=Agent? PrvsInstgAgt1Acct=Account? PrvsInstgAgt2@prvsInstgAgt=Agent? PrvsInstgAgt2Acct=Account? PrvsInstgAgt3@prvsInstgAgt=Agent? PrvsInstgAgt3Acct=Account? InstgAgt@txInstgAgt=Agent? InstdAgt@instdAgt=Agent? IntrmyAgt1@intrmyAgt=Agent? IntrmyAgt1Acct=Account? IntrmyAgt2@intrmyAgt=Agent? IntrmyAgt2Acct=Account? IntrmyAgt3@intrmyAgt=Agent? IntrmyAgt3Acct=Account? UltmtDbtr@ultmtDbtr=Party? InitgPty@initgPty=Party? Dbtr@dbtr=Party DbtrAcct@dbtrAcct=Account? DbtrAgt@dbtrAgt=Agent DbtrAgtAcct=Account? CdtrAgt@cdtrAgt=Agent CdtrAgtAcct=Account? Cdtr@cdtr=Party CdtrAcct@cdtrAcct=Account? UltmtCdtr@ultmtCdtr=Party? InstrForCdtrAgt=CreditorAgentInstruction* InstrForNxtAgt=NextAgentInstruction* Purp=Code4? RgltryRptg=RegulatoryReport{10} Tax=Tax? RltdRmtInf=RemittanceLocation{10} RmtInf=Remittance? SplmtryData=Supplementary*
PaymentId: InstrId=text35? EndToEndId#endToEndId=text35 TxId#txId=text35 ClrSysRef=text35?
SettlementTimes: DbtDtTm=dateTime? CdtDtTm=dateTime?
SettlementRequest: CLSTm=time? TillTm=time? FrTm=time? RjctTm=time?
Charges: Amt=amount Agt@chrgsAgt=Agent
Party: Nm#name=text140? PstlAdr=Address? Id=PartyId? CtryOfRes=country? CtctDtls=Contact?
PartyId| OrgId=OrganisationId PrvtId=PersonId
OrganisationId: AnyBIC#bic=bic? Othr=Identification*
PersonId: DtAndPlcOfBirth=Birth? Othr=Identification*
Birth: BirthDt=date PrvcOfBirth=text35? CityOfBirth=text35 CtryOfBirth=country
Contact: NmPrfx=DOCT/MIST/MISS/MADM? Nm=text140? PhneNb=phone? MobNb=phone? FaxNb=phone? EmailAdr=text2048? Othr=text35?
CreditorAgentInstruction: Cd=CHQB/HOLD/PHOB/TELB? InstrInf=text140?
NextAgentInstruction: Cd=PHOA/TELA? InstrInf=text140?
RegulatoryReport: DbtCdtRptgInd=CRED/DEBT/BOTH? Authrty=Authority? Dtls=RegulatoryDetails*
Authority: Nm=text140? Ctry=country?
RegulatoryDetails: Tp=text35? Dt=date? Ctry=country? Cd=text10? Amt=amount? Inf=text35*
Tax: Cdtr=TaxCreditor? Dbtr=TaxDebtor? AdmstnZn=text35? RefNb=text140? Mtd=text35? TtlTaxblBaseAmt=amount? TtlTaxAmt=amount? Dt=date? SeqNb=decimal18.0? Rcrd=TaxRecord*
TaxRemittance: Cdtr=TaxCreditor? Dbtr=TaxDebtor? UltmtDbtr=TaxDebtor? AdmstnZone=text35? RefNb=text140? Mtd=text35? TtlTaxblBaseAmt=amount? TtlTaxAmt=amount? Dt=date? SeqNb=decimal18.0? Rcrd=TaxRecord*
TaxCreditor: TaxId=text35? RegnId=text35? TaxTp=text35?
TaxDebtor: TaxId=text35? RegnId=text35? TaxTp=text35? Authstn=TaxAuthorisation?
TaxAuthorisation: Titl=text35? Nm=text140?
TaxRecord: Tp=text35? Ctgy=text35? CtgyDtls=text35? DbtrSts=text35? CertId=text35? FrmsCd=text35? Prd=TaxPeriod? TaxAmt=TaxAmount? AddtlInf=text140?
TaxPeriod: Yr=date? Tp=MM01/MM02/MM03/MM04/MM05/MM06/MM07/MM08/MM09/MM10/MM11/MM12/QTR1/QTR2/QTR3/QTR4/HLF1/HLF2? FrToDt=DatePeriod?
DatePeriod: FrDt=date ToDt=date
TaxAmount: Rate=decimal11.10? TaxblBaseAmt=amount? TtlAmt=amount? Dtls=TaxDetails*
TaxDetails: Prd=TaxPeriod? Amt=amount
RemittanceLocation: RmtId=text35? RmtLctnDtls=LocationDetails*
LocationDetails: Mtd=FAXI/EDIC/URID/EMAL/POST/SMSM ElctrncAdr=text2048? PstlAdr=NameAndAddress?
NameAndAddress: Nm=text140 Adr=Address
Remittance: Ustrd=text140* Strd=Structured*
Structured: RfrdDocInf=ReferredDocument* RfrdDocAmt=RemittanceAmount? CdtrRefInf=CreditorReference? Invcr@remittance=Party? Invcee@remittance=Party? TaxRmt=TaxRemittance? GrnshmtRmt=Garnishment? AddtlRmtInf=text140{3}
ReferredDocument: Tp=ReferredType? Nb=text35? RltdDt=date? LineDtls=DocumentLine*
ReferredType: CdOrPrtry=ReferredCode Issr=text35?
ReferredCode| Cd=MSIN/CNFA/DNFA/CINV/CREN/DEBN/HIRI/SBIN/CMCN/SOAC/DISP/BOLD/VCHR/AROI/TSUT/PUOR Prtry=text35
DocumentLine: Id=LineId+ Desc=text2048? Amt=RemittanceAmount?
LineId: Tp=LineType? Nb=text35? RltdDt=date?
LineType: CdOrPrtry=Code4 Issr=text35?
RemittanceAmount: DuePyblAmt=amount? DscntApldAmt=TypedAmount* CdtNoteAmt=amount? TaxAmt=TypedAmount* AdjstmntAmtAndRsn=Adjustment* RmtdAmt=amount?
TypedAmount: Tp=Code4? Amt=amount
Adjustment: Amt=amount CdtDbtInd=CRDT/DBIT? Rsn=text4? AddtlInf=text140?
CreditorReference: Tp=CreditorReferenceType? Ref=text35?
CreditorReferenceType: CdOrPrtry=CreditorReferenceCode Issr=text35?
CreditorReferenceCode| Cd=RADM/RPIN/FXDR/DISP/PUOR/SCOR Prtry=text35
Garnishment: Tp=LineType Grnshee@remittance=Party? GrnshmtAdmstr@remittance=Party? RefNb=text140? Dt=date? RmtdAmt=amount? FmlyMdclInsrncInd=boolean? MplyeeTermntnInd=boolean?
Supplementary: PlcAndNm=text350? Envlp=Envelope
Envelope: *=any
`
