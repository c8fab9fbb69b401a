// Names of people and firms that are on no list: the population on which false positives are counted and the load runs.
import type { Random } from './random.ts'

const GIVEN = (
  'James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica ' +
  'Thomas Karen Charles Sarah Daniel Nancy Matthew Lisa Anthony Betty Mark Margaret Steven Ashley Paul Emily Andrew Donna ' +
  'Hans Ursula Jürgen Sabine Wolfgang Renate Klaus Monika Stefan Petra Jean Marie Pierre Françoise Michel Monique Philippe ' +
  'Hélène Luca Giulia Marco Francesca Alessandro Chiara José María Antonio Carmen Manuel Josefa Luis Isabel João Ana Pedro ' +
  'Sofia Piotr Anna Krzysztof Katarzyna Andrzej Małgorzata Lars Ingrid Björn Astrid Mikael Kristina Matti Aino Sergey Olga ' +
  'Dmitry Natalia Alexei Tatiana Mehmet Ayşe Mustafa Fatma Ahmet Emine Mohammed Fatima Ahmed Aisha Omar Layla Hassan Mariam ' +
  'Wei Fang Li Na Min Jing Hiroshi Yuko Takashi Keiko Ji-woo Min-jun Seo-yeon Raj Priya Amit Sunita Vijay Anita Arjun Deepa ' +
  'Nguyen Linh Somchai Siti Budi Kwame Ama Chinedu Ngozi Tendai Thandiwe'
).split(' ')

const FAMILY = (
  'Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Thompson White Harris Clark ' +
  'Lewis Robinson Walker Young Allen King Wright Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Müller ' +
  'Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Richter Klein Wolf Neumann Dubois Durand Leroy ' +
  'Moreau Laurent Lefebvre Fournier Girard Bonnet Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco García ' +
  'Martínez López Sánchez Pérez Gómez Fernández Jiménez Ruiz Álvarez Silva Santos Oliveira Pereira Costa Kowalski Nowak ' +
  'Wiśniewski Wójcik Kamiński Andersson Johansson Nilsson Hansen Larsen Virtanen Korhonen Ivanov Petrov Smirnov Kuznetsov ' +
  'Yılmaz Kaya Demir Şahin Çelik Khan Hussain Malik Haddad Khoury Nasser Wang Zhang Chen Liu Yang Huang Zhao Tanaka Suzuki ' +
  'Watanabe Yamamoto Kim Park Choi Jung Patel Sharma Singh Gupta Kumar Reddy Nair Tran Pham Wijaya Mensah Okafor Adeyemi Moyo ' +
  'Dlamini O’Brien Murphy Kelly Byrne MacDonald Campbell Stewart Van Dijk De Vries Jansen Bakker Peeters Janssens Papadopoulos'
).split(' ')

const FIRM = (
  'Alpine Baltic Nordic Meridian Summit Harbour Lakeside Evergreen Bluewater Silverline Northstar Redwood Brightwell Kestrel ' +
  'Aurora Vertex Quantum Orchid Cobalt Granite Juniper Sterling Windmill Lighthouse Riverside Keystone Pinnacle Horizon Atlas'
).split(' ')

const TRADE = (
  'Logistics Textiles Foods Machinery Software Consulting Pharma Electronics Furniture Shipping Ceramics Packaging Optics ' +
  'Instruments Plastics Bakery Vineyards Motors Printing Chemicals Robotics Bearings Cables Paper Glass Dairy Seeds'
).split(' ')

const FORM = [
  'Ltd',
  'GmbH',
  'S.A.',
  'SARL',
  'B.V.',
  'Inc.',
  'AG',
  'S.p.A.',
  'AB',
  'Oy',
  'Sp. z o.o.',
  'Pte Ltd',
  'LLC',
  'Co., Ltd.',
]

export function personName(random: Random): string {
  const given = random.pick(GIVEN)
  const middle = random.chance(0.25) ? ` ${random.pick(GIVEN)}` : ''
  const family = random.chance(0.15) ? `${random.pick(FAMILY)} ${random.pick(FAMILY)}` : random.pick(FAMILY)
  return random.chance(0.1) ? `${family}, ${given}${middle}` : `${given}${middle} ${family}`
}

export function firmName(random: Random): string {
  const first = random.chance(0.4) ? random.pick(FAMILY) : random.pick(FIRM)
  const second = random.chance(0.2) ? ` & ${random.pick(FAMILY)}` : ''
  return `${first}${second} ${random.pick(TRADE)} ${random.pick(FORM)}`
}

export function bankName(random: Random): string {
  return `${random.pick(FIRM)} ${random.pick(['Bank', 'Savings Bank', 'Commercial Bank', 'Banque', 'Bank AG'])}`
}
