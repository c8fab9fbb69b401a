// Letters of other scripts and letters with marks, each as what Latin capitals it is written with. `-` is no letter, `~`
// is written with none. Read by the enclave and, for the scripts, by the reference, which takes Latin from Unicode.

/** U+00C0 to U+024F. */
export const LATIN: string =
  'A A A A A A AE C E E E E I I I I D N O O O O O - O U U U U Y TH SS A A A A A A AE C E E E E I I I I ' +
  'D N O O O O O - O U U U U Y TH Y A A A A A A C C C C C C C C D D D D E E E E E E E E E E G G G G G ' +
  'G G G H H H H I I I I I I I I I I IJ IJ J J K K K L L L L L L L L L L N N N N N N N N N O O O O O O ' +
  'OE OE R R R R R R S S S S S S S S T T T T T T U U U U U U U U U U U U W W Y Y Y Z Z Z Z Z Z S - - - ' +
  '- - - - - - - - - - - - A - F F - - - - - - - - - - - - - O O - - - - - - - - - - - - - U U - - - - ' +
  '- - - - - - - - - - - - - - - DZ DZ DZ LJ LJ LJ NJ NJ NJ A A I I O O U U U U U U U U U U - A A A A ' +
  'AE AE - - G G K K O O O O - - J DZ DZ DZ G G - - N N A A AE AE O O A A A A E E E E I I I I O O O O ' +
  'R R R R U U U U S S T T - - H H - - - - - - A A E E O O O O O O O O Y Y - - - - - - - - - - - - - - ' +
  '- - - - - - - - - - - - - -'

/** U+1E00 to U+1EFF. */
export const LATIN_ADDITIONAL: string =
  'A A B B B B B B C C D D D D D D D D D D E E E E E E E E E E F F G G H H H H H H H H H H I I I I K K ' +
  'K K K K L L L L L L L L M M M M M M N N N N N N N N O O O O O O O O P P P P R R R R R R R R S S S S ' +
  'S S S S S S T T T T T T T T U U U U U U U U U U V V V V W W W W W W W W W W X X X X Y Y Z Z Z Z Z Z ' +
  'H T W Y - S - - - - A A A A A A A A A A A A A A A A A A A A A A A A E E E E E E E E E E E E E E E E ' +
  'I I I I O O O O O O O O O O O O O O O O O O O O O O O O U U U U U U U U U U U U U U Y Y Y Y Y Y Y Y ' +
  '- - - - - -'

/** Greek, Cyrillic and Arabic, as `410=A`: after the tables that passports and banks use, without vowels that are not written. */
export const SCRIPTS: string =
  '386=A 388=E 389=I 38A=I 38C=O 38E=Y 38F=O 390=I 391=A 392=V 393=G 394=D 395=E 396=Z 397=I 398=TH ' +
  '399=I 39A=K 39B=L 39C=M 39D=N 39E=X 39F=O 3A0=P 3A1=R 3A3=S 3A4=T 3A5=Y 3A6=F 3A7=CH 3A8=PS 3A9=O ' +
  '3AA=I 3AB=Y 3AC=A 3AD=E 3AE=I 3AF=I 3B0=Y 3B1=A 3B2=V 3B3=G 3B4=D 3B5=E 3B6=Z 3B7=I 3B8=TH 3B9=I ' +
  '3BA=K 3BB=L 3BC=M 3BD=N 3BE=X 3BF=O 3C0=P 3C1=R 3C2=S 3C3=S 3C4=T 3C5=Y 3C6=F 3C7=CH 3C8=PS 3C9=O ' +
  '3CA=I 3CB=Y 3CC=O 3CD=Y 3CE=O 400=E 401=E 402=DJ 403=G 404=YE 405=DZ 406=I 407=YI 408=J 409=LJ ' +
  '40A=NJ 40B=C 40C=K 40D=I 40E=U 40F=DZ 410=A 411=B 412=V 413=G 414=D 415=E 416=ZH 417=Z 418=I 419=Y ' +
  '41A=K 41B=L 41C=M 41D=N 41E=O 41F=P 420=R 421=S 422=T 423=U 424=F 425=KH 426=TS 427=CH 428=SH ' +
  '429=SHCH 42A=~ 42B=Y 42C=~ 42D=E 42E=YU 42F=YA 430=A 431=B 432=V 433=G 434=D 435=E 436=ZH 437=Z ' +
  '438=I 439=Y 43A=K 43B=L 43C=M 43D=N 43E=O 43F=P 440=R 441=S 442=T 443=U 444=F 445=KH 446=TS 447=CH ' +
  '448=SH 449=SHCH 44A=~ 44B=Y 44C=~ 44D=E 44E=YU 44F=YA 450=E 451=E 452=DJ 453=G 454=YE 455=DZ 456=I ' +
  '457=YI 458=J 459=LJ 45A=NJ 45B=C 45C=K 45D=I 45E=U 45F=DZ 490=G 491=G 492=G 493=G 49A=Q 49B=Q 4A2=N ' +
  '4A3=N 4AE=U 4AF=U 4B0=U 4B1=U 4BA=H 4BB=H 4D8=A 4D9=A 4E8=O 4E9=O 621=~ 622=A 623=A 624=W 625=I ' +
  '626=Y 627=A 628=B 629=A 62A=T 62B=TH 62C=J 62D=H 62E=KH 62F=D 630=DH 631=R 632=Z 633=S 634=SH 635=S ' +
  '636=D 637=T 638=Z 639=A 63A=GH 641=F 642=Q 643=K 644=L 645=M 646=N 647=H 648=W 649=A 64A=Y 67E=P ' +
  '686=CH 698=ZH 6A9=K 6AF=G 6CC=Y'
