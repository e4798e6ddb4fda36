// What a small ERP holds: partners with addresses, products, orders with items, invoices.
namespace firm;

using { managed } from '@sap/cds/common';

type Kind : String(10) enum { person; company; }
type Contact { email : String(120); phone : String(30); }

@title: 'Business partner'
@description: 'A person or company that the firm trades with.'
entity BusinessPartners : managed {
  key ID          : String(10)      @title: 'Number';
      name        : String(80)      @title: 'Name'  @description: 'As it stands on invoices.';
      kind        : Kind;
      contact     : Contact;
      blocked     : Boolean;
      creditLimit : Decimal(15, 2)  @title: 'Credit limit';
      bornOn      : Date;
      points      : Int64           @description: 'Loyalty points; more than a double can hold.';
      tags        : array of String;
      addresses   : Composition of many Addresses on addresses.partner = $self;
}

entity Addresses : managed {
  key partner    : Association to BusinessPartners;
  key kind       : String(10) enum { billing; delivery; };
      street     : String(80);
      city       : String(40);
      postalCode : String(10);
      country    : String(2);
}

// nothing here says when a product was changed
entity Products {
  key ID         : UUID;
      name       : String(80);
      price      : Decimal(15, 2);
      weight     : Double;
      stock      : Int64;
      releasedAt : Timestamp;
      opensAt    : Time;
      photo      : Binary(64);
      listed     : Boolean;
}

entity SalesOrders : managed {
  key ID        : Integer;
      partner   : Association to BusinessPartners;
      status    : String(10) enum { open; paid; cancelled; };
      currency  : String(3);
      total     : Decimal(15, 2);
      orderedAt : DateTime;
      items     : Composition of many SalesOrderItems on items.order = $self;
}

entity SalesOrderItems {
  key order    : Association to SalesOrders;
  key position : Integer;
      product  : Association to Products;
      quantity : Decimal(13, 3);
      amount   : Decimal(15, 2);
}

entity Invoices : managed {
  key company  : String(4);
  key number   : String(20);
      order    : Association to SalesOrders;
      dueOn    : Date;
      amount   : Decimal(15, 2);
      settled  : Boolean;
}

entity Salaries : managed {
  key partner : Association to BusinessPartners;
      yearly  : Decimal(15, 2);
}
