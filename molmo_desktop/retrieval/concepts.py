# SPDX-License-Identifier: Apache-2.0
"""Words that stand for one another in everyday documents, in several languages.

Written by hand and kept small: words of invoices, contracts, letters, minutes, manuals and
reports. A paragraph is a concept; a word may belong to several.
"""

from __future__ import annotations

from molmo_desktop.retrieval.text import fold

_TABLE = """
total sum overall gesamtbetrag gesamtsumme gesamt summe endbetrag rechnungsbetrag zahlbetrag
importe montant totale 合计 总计 总额 总金额 総額 合計

pay paid payment payable due owe owed settle zahlung zahlbar zahlen bezahlen zahlungsziel
fallig faellig paiement payer paye reglement verser versement erstattet gezahlt reimbursed pago
pagar pagadero abonar 付款 支付 支払

price cost fee charge rate fare tariff amount expensive expense preis kosten kostet gebuhr
teuer prix cout coute frais tarif precio coste cuesta tarifa gasto importe betrag beitrag
cotisation cuota montant 价格 费用 单价 金额 料金 価格

salary wage wages pay earn earnings income remuneration gehalt lohn vergutung verdienst
verdient entgelt salaire gagne salario sueldo gana 工资 薪资 薪水 給与

deposit down advance prepayment kaution anzahlung mietsicherheit caution garantie acompte
arrhes fianza deposito anticipo 押金 保证金 预付款 定金

rent rental miete mietzins kaltmiete loyer alquiler renta 租金 房租

tax vat duty mwst umsatzsteuer mehrwertsteuer ust steuer tva taxe impot iva impuesto 税 税额
增值税

discount rebate reduction reduced half halfte moitie mitad rabatt skonto nachlass ermassigung
remise rabais descuento rebaja 折扣 优惠

invoice bill receipt rechnung beleg quittung facture recu factura recibo 发票 账单 請求書

quote quotation estimate offer bid angebot kostenvoranschlag devis offre presupuesto oferta
报价

contract agreement vertrag vereinbarung contrat accord contrato acuerdo convenio 合同 协议 契約

lease tenancy mietvertrag mietverhaltnis bail location arrendamiento 租赁

tenant lessee renter mieter mieterin locataire preneur inquilino arrendatario 承租人 租客
承租方

landlord lessor vermieter vermieterin bailleur proprietaire arrendador casero 出租人 房东
出租方

employer arbeitgeber employeur empleador patron 雇主 用人单位

employee employees worker workers staff personnel workforce arbeitnehmer mitarbeiter
beschaftigte angestellte salarie employe empleado empleada trabajador plantilla 员工 雇员 职工

employment job work begin arbeitsverhaltnis beschaftigung arbeit anstellung emploi travail
empleo trabajo 工作 雇佣

position role job title post occupation stelle tatigkeit funktion poste fonction puesto cargo
职位 岗位

probation probationary trial probezeit essai prueba 试用期

customer client buyer purchaser recipient kunde kundin kaufer auftraggeber empfanger acheteur
destinataire cliente comprador 客户 买方 甲方

seller supplier vendor issuer provider contractor lieferant verkaufer anbieter auftragnehmer
fournisseur vendeur prestataire proveedor vendedor contratista 卖方 供应商 乙方

deadline due latest frist fallig falligkeit stichtag spatestens echeance delai limite
vencimiento plazo 截止 期限 到期

date dated day datum tag datiert fecha dia 日期 日付

issue issued issuing written ausgestellt ausstellung erstellt emis emission emitido emitio emision
签发 开具

start begin began commence beginning effective force apply beginn beginnt gilt gultig anfang
inkrafttreten debut compter vigueur effet inicio comienza empieza vigor 开始 起 生效

end ends expire expiry finish finished terminate close closing closed over ende endet ablauf
auslaufen fin termine finaliza termina vence 结束 到期 终止

last duration long take takes period term length dauer dauert laufzeit zeitraum lang duree dure
duracion dura 期限 多久

cancel cancellation terminate termination withdraw resign kundigen kundigung kundigungsfrist
stornieren widerruf resiliation resilier annuler conge preavis rescision cancelar cancelacion
desistimiento 解除 终止 取消 解约

notice kundigungsfrist kundigung preavis preaviso 通知

renew renewal extend extension automatically verlangert verlangerung reconduit reconduction
renouvellement prorroga renovacion 续约 续签 延长

warranty guarantee guaranteed garantie garantieren gewahrleistung garanti garantia 保修 质保
保修期 保証

delivery deliver delivered shipping shipment ship courier arrive lieferung liefern lieferzeit
geliefert versand livraison livrer expedition entrega enviar envio 交货 送货 发货 配送 运 納品

transport freight carriage fracht transportkosten transporte flete 运费 运输

address live lives located residence seat office adresse anschrift wohnhaft wohnt sitz domicile
demeurant siege direccion domicilio sede 地址 住址 住所

phone telephone tel mobile cell call hotline telefon telefonnummer rufnummer mobil handy
durchwahl portable telefono movil llamar fax 电话 手机 電話

email mail e-mail mailadresse courriel correo 邮箱 邮件 电邮

website site web internet online webseite homepage sitio 网站 网址

internet wifi wlan wireless network netz netzwerk reseau red 网络 无线

number no nr nummer numero num ref code id 号 编号 号码

reference ref aktenzeichen zeichen referenz dossier expediente referencia 编号

quantity qty many count number pieces units menge anzahl stuck quantite nombre qte cantidad
unidades 数量

sign signed signature signatory signing unterschrieben unterzeichnet unterschrift grußen gruße
unterzeichner signe signataire fait firmado firma firmante atentamente sincerely regards
faithfully 签署 签字 签名 署名

write written author wrote letter sender schreiben geschrieben verfasser absender brief auteur
lettre expediteur autor carta remitente 写 作者

manager head director leader boss ceo president executive leiter leiterin geschaftsfuhrer
geschaftsfuhrung direktor vorstand chef responsable directeur directrice gerant gerente
directora jefe 经理 主管 负责人 总经理

chair chairman chairwoman chairperson preside presides president vorsitz vorsitzende
vorsitzender presidente 主席 主持

treasurer kassenwart schatzmeister tresorier tesorero 财务

secretary minutes protokoll schriftfuhrer protokollfuhrer secretaire secretario secretaria 秘书
记录

responsible charge contact ask question inquiry inquire enquire enquiry verantwortlich
zustandig ansprechpartner ansprechpartnerin fragen ruckfragen kontakt responsable contacter
contacto consultas preguntas 负责 联系人 咨询

represent representative behalf agent vertreter vertreten representant represente representante
representa 代表

complain complaint complaints claim dispute reklamation beschwerde reclamation plainte
reclamacion queja 投诉 索赔 争议

buy bought purchase purchased order ordered kaufen gekauft kauf bestellung bestellt achat
acheter commande compra comprar pedido 购买 采购 订购

bank iban account konto kontonummer bankverbindung banque compte banco cuenta 银行 账户 账号

penalty fine late overdue punish mahngebuhr verzug verzugszinsen vertragsstrafe strafe bussgeld
penalite amende retard penalizacion multa recargo mora 违约金 罚款 滞纳金 逾期

interest zinsen zinssatz verzugszinsen interet interes intereses 利息 利率

deductible excess selbstbeteiligung selbstbehalt franchise franquicia 免赔额

premium beitrag pramie jahresbeitrag prime cotisation prima 保费

insurance insure insured insurer cover covered coverage versicherung versichert
versicherungsschutz mitversichert abgedeckt assurance assure couvert couverture seguro
asegurado cobertura 保险

damage claim schaden beschadigung sinistre dommage dano siniestro 损坏 损失

valid validity valable validite gultig gultigkeit valido valida validez vigente 有效 有效期

vacation holiday holidays leave annual urlaub urlaubstage ferien conges vacances vacaciones
假期 年假 休假

sick sickness ill illness krank krankheit krankmeldung arbeitsunfahigkeit maladie malade
enfermedad baja 病假 生病

doctor medical physician health arzt arztlich medizinisch medecin medico 医生 医疗

certificate certification attestation zertifikat bescheinigung attest certificat certificado
证明 证书

hours working hour stunden arbeitszeit wochenstunden heures horaires horas horario jornada 小时
工时

open opening opens hours geoffnet offnungszeiten offnet ouvert ouverture ouvre abre abrira
abrir abierto apertura horario 营业 开放

remote remotely home homeoffice telework teletravail teletrabajo distancia 远程 居家

weight weigh weighs heavy heavier gewicht wiegt schwer poids pese lourd peso pesa 重量 多重

size dimension dimensions measurement big large area surface abmessung abmessungen grosse groß
flache taille grand tamano dimensiones medidas superficie grande 尺寸 面积 大小

capacity volume hold holds big large litre litres fassungsvermogen inhalt volumen contenance
capacidad 容量

width height length depth tall wide deep breite hohe lange tiefe hauteur largeur longueur alto
ancho largo 高度 宽度 长度

power wattage watt watts consumption energy electricity leistung leistungsaufnahme verbrauch
strom puissance consommation potencia consumo 功率 耗电

voltage volt volts mains spannung tension voltaje 电压

speed fast velocity geschwindigkeit schnell vitesse velocidad 速度

clean cleaning wash washing rinse descale limescale reinigen reinigung waschen entkalken
nettoyer nettoyage laver detartrer limpiar limpieza lavar 清洁 清洗

error fault failure problem malfunction wrong fix fehler storung stoerung erreur panne defaut
fallo averia problema 错误 故障

cause reason why because ursache grund warum weil raison causa motivo razon 原因

lamp light lights blink blinks flash flashing led indicator lampe leuchte leuchtet blinkt
voyant clignote luz piloto parpadea 灯 指示灯

temperature hot heat heats warm degrees temperatur heiß grad chaud temperatura calor 温度

meeting assembly session conference sitzung besprechung treffen versammlung reunion assemblee
seance junta asamblea sesion held celebrado celebro celebrada 会议 大会

place location venue where ort lieu endroit lugar local 地点 地方

attend attended attendee attendees participants present presence teilnehmer anwesend
teilgenommen presents presentes asisten asistentes asistieron participantes 参加 出席 与会

absent absence apologies missing fehlt abwesend entschuldigt abwesenheit excuse ausente
ausencia 缺席

decide decided decision agreed approve approved resolution resolved beschluss beschlossen
entschieden genehmigt approuve decidio acuerdo aprobado aprueba 决定 批准 同意

reject rejected refuse refused denied abgelehnt ablehnung rejete rechaza rechazado 拒绝 否决

vote votes voted against favour stimmen abgestimmt gegenstimmen voix voto votos votar 投票

budget plan planned etat haushalt presupuesto prevu 预算 计划

allow allowed permit permitted may can approve authorise authorised erlaubt gestattet darf
zulassig autorise permis interdit permitido autorizado prohibido 允许 可以 禁止

approve approval authorise consent permission genehmigen genehmigung zustimmung einwilligung
autorisation accord consentement aprobacion autorizacion consentimiento 批准 同意

child children kid kids minor minors kind kinder enfant enfants mineur nino ninos menor menores
儿童

animal animals pet pets dog dogs cat cats haustier haustiere tier tiere hund hunde katze
animaux chien chat animales mascotas perro gato 宠物 动物

company firm business enterprise organisation organization corporation firma unternehmen
betrieb gesellschaft societe entreprise empresa sociedad compania 公司 企业

association club society cooperative group verein genossenschaft asociacion cooperativa 协会

owner own owned eigentumer inhaber proprietaire propietario dueno 所有人 业主

month monthly monat monatlich mois mensuel mensuelle mes mensual 每月 月

year annual yearly annually jahr jahrlich annee annuel ano anual 每年 年度

week weekly woche wochentlich semaine hebdomadaire semana semanal 每周

refund refunded reimburse reimbursed reimbursement money back return returned ruckgabe
erstattet erstattung ruckerstattung ubernommen retour rembourse remboursement devolucion
reembolso 退货 退款 退还 报销

change modify amend amendment rebook anderung andern umbuchen modification changer cambio
modificar cambiar 更改 变更

repair repaired fix fixed replace replaced reparatur reparieren instandsetzung reparation
reparer reparacion reparar arreglar 维修 修理 更换

maintain maintenance service wartung warten entretien entretenir mantenimiento mantener 维护
保养

password passcode pin passwort kennwort contrasena mot 密码

battery batteries akku batterie bateria pila 电池

safety warning danger caution sicherheit warnung gefahr securite avertissement seguridad
advertencia peligro 安全 警告

box package included include contents scope packung lieferumfang enthalten inhalt emballage
contenu inclus contenido incluido caja 包装 包括

born birth birthday birthdate geboren geburtsdatum geburtstag ne nee naissance nacido
nacimiento 出生 生日

age old years alter alt edad 年龄

name called named heißt nom appelle nombre llama 名称 姓名

court jurisdiction arbitration gerichtsstand gericht tribunal juridiction jurisdiccion juzgado
法院 管辖 仲裁

law governing applicable recht gesetz droit loi ley derecho 法律 适用

car vehicle auto pkw fahrzeug wagen kfz voiture vehicule coche vehiculo automovil 汽车 车辆

train rail railway bahn zug bahnreise tren ferrocarril 火车

plane flight flights fly flying flug fluge fliegen avion vol vuelo volar 飞机 航班

hotel accommodation lodging overnight night ubernachtung unterkunft nacht hebergement nuit
alojamiento noche 住宿 酒店

food meal meals eat restaurant breakfast verpflegung essen mahlzeit fruhstuck repas
restauration comida desayuno dieta 餐 饮食

drink drinks alcohol wine beer getranke alkohol alkoholische wein bier boisson alcool vin
bebida vino 饮料 酒

luggage baggage bag bags suitcase gepack koffer bagage bagages equipaje maleta 行李

ticket booking book reservation reserve fahrkarte buchung reservierung billet billete reserva
票 预订

smoke smoking rauchen fumer fumar 吸烟

floor storey story etage stockwerk planta piso 楼层

room rooms bedroom bedrooms zimmer raum piece pieces chambre habitacion cuarto 房间

apartment flat wohnung appartement logement piso apartamento vivienda 公寓 住房

property premises house home building immobilie haus gebaude immeuble maison bien inmueble casa
edificio 房屋 物业

key keys schlussel cle cles llave llaves 钥匙

profit surplus gain earnings gewinn uberschuss benefice excedent beneficio superavit 利润 盈余

revenue turnover sales income umsatz erlose einnahmen chiffre affaires recettes ingresos ventas
收入 营业额

expenses expenditure spending costs ausgaben aufwendungen kosten depenses charges gastos 支出
开支

loan credit lend borrow mortgage kredit darlehen pret emprunt prestamo credito hipoteca 贷款

dividend dividende ausschuttung dividendo 分红

audit auditor accountant wirtschaftsprufer prufer expert-comptable commissaire 审计

school schule ecole escuela colegio 学校

install installation installed build construct einbau installieren montage installer pose
instalar instalacion 安装

colour colours color farbe couleur 颜色
"""

CONCEPTS: tuple[frozenset[str], ...] = tuple(
    frozenset(fold(word) for word in paragraph.split()) for paragraph in _TABLE.split("\n\n")
)


# The same word, only shorter; folded. These are no relatives, they are the word.
SHORT_FORMS: dict[str, tuple[str, ...]] = {
    "number": ("no", "nr", "num"),
    "numbers": ("nos",),
    "nummer": ("nr", "no"),
    "numero": ("no", "n", "num"),
    "telephone": ("tel", "phone"),
    "phone": ("tel", "telephone"),
    "telefon": ("tel",),
    "telefono": ("tel", "tfno"),
    "quantity": ("qty",),
    "quantite": ("qte",),
    "reference": ("ref",),
    "straße": ("str",),
}


def _by_word() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for words in CONCEPTS:
        for word in words:
            found.setdefault(word, set()).update(words)
    return {word: frozenset(words - {word}) for word, words in found.items()}


# For each word, the words that share a concept with it.
RELATED: dict[str, frozenset[str]] = _by_word()

# Words in scripts without spaces, which have to be looked for within a run of characters.
UNSPACED: frozenset[str] = frozenset(word for word in RELATED if "\u3040" <= word[0] <= "\u9fff")
