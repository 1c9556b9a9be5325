# SPDX-License-Identifier: Apache-2.0
"""Words that stand for one another in everyday documents, by concept, in several languages.

Written by hand and kept small: an entry earns its place by helping a question of the test set.
Words are folded (no case, no accents). A word may belong to several concepts.
"""

from __future__ import annotations

from molmo_desktop.retrieval.text import fold

_TABLE = {
    "total": "total sum gesamtbetrag gesamtsumme gesamt summe endbetrag rechnungsbetrag importe montant 合计 总计 总额 总金额",
    "pay": "pay payment payable due owe zahlung zahlbar zahlen bezahlen fallig faellig paiement payer paye pago pagar pagadero vencimiento echeance 付款 支付",
    "price": "price cost costs fee charge amount preis kosten kostet gebuhr prix cout coute frais tarif precio coste cuesta tarifa importe betrag montant 价格 费用 单价 金额",
    "money": "salary wage pay gehalt lohn vergutung salaire remuneration salario sueldo 工资",
    "deposit": "deposit kaution caution garantie fianza deposito mietsicherheit 押金 保证金",
    "rent": "rent rental miete mietzins loyer alquiler renta 租金",
    "tax": "tax vat mwst umsatzsteuer mehrwertsteuer ust tva taxe iva impuesto 税 增值税 税额",
    "discount": "discount rebate rabatt skonto nachlass remise rabais descuento 折扣",
    "invoice": "invoice bill rechnung facture factura 发票",
    "contract": "contract agreement vertrag contrat contrato acuerdo 合同 协议",
    "lease": "lease tenancy mietvertrag bail arrendamiento 租赁",
    "tenant": "tenant lessee mieter mieterin locataire inquilino arrendatario 承租人 租客",
    "landlord": "landlord lessor vermieter vermieterin bailleur proprietaire arrendador propietario 出租人 房东",
    "employer": "employer arbeitgeber employeur empleador 雇主",
    "employee": "employee worker arbeitnehmer mitarbeiter beschaftigte salarie employe empleado trabajador 员工 雇员",
    "customer": "customer client buyer recipient kunde kundin kaufer auftraggeber client acheteur destinataire cliente comprador 客户 买方",
    "seller": "seller supplier vendor issuer lieferant verkaufer anbieter auftragnehmer fournisseur vendeur prestataire proveedor vendedor 卖方 供应商",
    "deadline": "deadline due frist fallig falligkeit stichtag echeance delai limite vencimiento plazo 截止 期限 到期",
    "date": "date dated datum fecha 日期",
    "start": "start starts begin begins commence commences beginning beginn beginnt anfang debut commence inicio comienza empieza 开始 起",
    "end": "end ends expire expires expiry finish terminates ende endet ablauf fin termine expire finaliza termina vence 结束 到期 终止",
    "cancel": "cancel cancellation terminate termination kundigen kundigung resiliation resilier rescision cancelar cancelacion 解除 终止 取消",
    "notice": "notice kundigungsfrist preavis preaviso 通知",
    "warranty": "warranty guarantee garantie gewahrleistung garantia 保修 质保 保修期",
    "delivery": "deliver delivery shipping shipment lieferung lieferzeit versand livraison expedition entrega envio 交货 送货 发货 配送",
    "address": "address adresse anschrift direccion domicilio 地址",
    "phone": "phone telephone tel telefon telefono mobile handy call fax hotline 电话 手机",
    "email": "email mail e-mail courriel correo 邮箱 邮件",
    "number": "number no nr nummer numero num 号 编号 号码",
    "quantity": "quantity qty menge anzahl stuck quantite cantidad unidades 数量",
    "sign": "sign signed signature signatory unterschrieben unterzeichnet unterschrift signe signature firmado firma 签署 签字 签名",
    "manager": "manager head director leader leiter leiterin geschaftsfuhrer direktor responsable directeur directrice gerant gerente director directora 经理 主管 负责人",
    "responsible": "responsible charge contact verantwortlich zustandig ansprechpartner responsable contacto 负责 联系人",
    "buy": "buy bought purchase purchased kaufen gekauft kauf achat acheter compra comprar 购买",
    "bank": "bank iban konto kontonummer bankverbindung banque compte banco cuenta 银行 账户 账号",
    "penalty": "penalty fine late mahngebuhr verzugszinsen vertragsstrafe strafe penalite amende penalizacion multa recargo 违约金 罚款 滞纳金",
    "interest": "interest zinsen verzugszinsen interets interes 利息 利率",
    "salary": "salary wage gehalt lohn salaire salario sueldo 工资 薪资",
    "vacation": "vacation holiday holidays leave urlaub urlaubstage conges vacances vacaciones 假期 年假",
    "hours": "hours stunden arbeitszeit heures horaires horas horario 小时 工时 时间",
    "open": "open opening opens geoffnet offnungszeiten ouvert ouverture abierto apertura 营业 开放",
    "weight": "weight weigh weighs gewicht wiegt poids pese peso pesa 重量",
    "size": "size dimension dimensions measurement abmessung abmessungen masse grosse taille dimensions tamano dimensiones medidas 尺寸",
    "power": "power wattage watt watts leistung leistungsaufnahme puissance potencia 功率",
    "clean": "clean cleaning descale reinigen reinigung entkalken nettoyer nettoyage detartrer limpiar limpieza 清洁 清洗",
    "error": "error fault failure problem fehler storung stoerung erreur panne fallo averia 错误 故障",
    "temperature": "temperature temperatur temperatura hot heat 温度",
    "meeting": "meeting sitzung besprechung treffen reunion 会议",
    "place": "place location venue where ort lieu lugar 地点",
    "attend": "attend attendee attendees participants present teilnehmer anwesend participants presents asistentes participantes 参加 出席",
    "child": "child children kind kinder enfant enfants nino ninos 儿童",
    "animal": "animal animals pet pets dog cat haustier haustiere tiere animaux chien chat animales mascotas 宠物 动物",
    "insurance": "insurance insured insurer versicherung assurance seguro 保险",
    "company": "company firm business firma unternehmen societe entreprise empresa sociedad 公司",
    "owner": "owner own owned eigentumer inhaber proprietaire propietario dueno 所有人",
    "month": "month monthly monat monatlich mois mensuel mes mensual 每月 月",
    "year": "year annual yearly annually jahr jahrlich annee annuel ano anual 每年 年度",
    "return": "return returned refund ruckgabe ruckerstattung retour remboursement devolucion reembolso 退货 退款 退还",
    "repair": "repair repairs repaired reparatur reparaturen reparation reparations reparacion reparaciones 维修 修理",
    "password": "password passcode passwort kennwort contrasena 密码",
    "battery": "battery batteries akku batterie bateria pila 电池",
    "safety": "safety warning danger sicherheit warnung securite avertissement seguridad advertencia 安全 警告",
    "born": "born birth birthday geboren geburtsdatum ne naissance nacido nacimiento 出生",
    "court": "court jurisdiction gerichtsstand gericht tribunal juridiction jurisdiccion juzgado 法院 管辖",
    "law": "law governing recht gesetz droit loi ley derecho 法律",
}  # fmt: skip

CONCEPTS: dict[str, frozenset[str]] = {
    name: frozenset(fold(word) for word in words.split()) for name, words in _TABLE.items()
}

# Concepts of words in scripts without spaces, which cannot be looked up word by word.
PHRASES: dict[str, str] = {
    word: name for name, words in CONCEPTS.items() for word in words if "\u3400" <= word <= "\u9fff"
}
