"""Agents of the business side."""

ROLES = """
customer_support | support | otlp,maf | round | 11 | support,crm,inbox,sqlread | Tessa (Support),Milo (Support),Support Concierge,chat-deflect-2,returns-helper,claims-intake | refunds_desk | Customer {customer} asks about case {case} / Reply to case {case}
zendesk.get_ticket | 9 | ticket_id={case}
crm.get_customer | 8 | customer_id={customer}
orders.list | 5 | customer_id={customer} ; limit=10
kb.search | 5 | q=how to {small}
warehouse.run_query | 1.2 | sql=SELECT status, updated_at FROM support_cases WHERE customer_id = '{customer}' LIMIT 20
crm.add_note | 3 | customer_id={customer} ; note=spoke about case {case}
zendesk.reply | 8 | ticket_id={case} ; body=Hello, your parcel is on its way. ; public=true
zendesk.attach_file | 0.4 | ticket_id={case} ; file=label-{num}.pdf
crm.export_contact | 0.15 | customer_id={customer} ; format=csv

refunds_desk | support | maf,temporal | office | 5 | payments,refunds | RefundDecider,goodwill-bot | | Decide on the refund of {customer}
orders.get | 8 | customer_id={customer} ; order={num}
payments.get_charge | 6 | charge=ch_{num}
!payments.refund | 4 | charge=ch_{num} ; amount={amount} ; currency=EUR
crm.add_note | 5 | customer_id={customer} ; note=refund {num}
payments.issue_voucher | 1 | customer_id={customer} ; value=15.00

finance_ops | finance | temporal,maf | office | 5 | payments,vendor,inbox | APRunner,ledger-clerk,Payables Assistant,month-end-closer | | Book what came in for {firm}
inbox.read | 6 | folder=ap ; message={case}
erp.get_invoice | 9 | invoice={invoice}
erp.match_purchase_order | 6 | invoice={invoice} ; vendor={firm}
erp.get_vendor | 5 | vendor={firm}
!erp.approve_payment | 3 | invoice={invoice} ; amount={amount} ; vendor={firm}
!erp.update_vendor_bank | 0.15 | vendor={firm} ; iban=DE{num}{num}{num} ; change={change}
erp.record_callback | 0.3 | vendor={firm} ; phone=number on file
bank.create_payment_run | 1.5 | date={date} ; batch={num}
bank.get_balance | 2 | account=operating
sheets.append_row | 3 | sheet=accruals ; row={invoice},{amount}

hr_onboarding | people | otlp,temporal | office | 3 | hr,directory | WelcomeAboard,joiner-leaver | helpdesk | Prepare the first day of {employee}
hris.get_employee | 9 | employee={employee}
directory.create_user | 2 | user={employee} ; department={small}
directory.add_to_group | 5 | user={employee} ; group={channel}
mail.create_mailbox | 2 | user={employee}
hris.list_documents | 3 | employee={employee}
hris.get_compensation | 0.2 | employee={employee}
calendar.schedule | 4 | with={employee} ; title=Welcome
tickets.create | 3 | project=IT ; summary=Laptop for {employee}

recruiting | people | otlp | office | 3 | hr,inbox | talent-screener | | Screen what came in for {num}
ats.list_candidates | 6 | job={num}
ats.get_resume | 9 | candidate={case}
mail.send | 4 | to=applicant-{case}@{domain} ; subject=Your application
calendar.find_slot | 3 | with={employee}
ats.move_stage | 5 | candidate={case} ; stage=interview

sales_assistant | sales | otlp | office | 5 | crm,mail,drive | Deal Coach,pipeline-pal,rfp-writer | | Prepare the call with {firm}
crm.search_accounts | 8 | q={firm}
crm.get_opportunity | 6 | account={firm} ; id={num}
drive.search | 5 | q={firm} proposal
drive.get_file | 5 | file={doc}
drive.share | 0.6 | file={doc} ; with={employee} ; role=reader
mail.draft | 5 | to={employee} ; subject=Prep for {firm}
web.fetch | 3 | url=https://{domain}/about
calendar.list | 4 | user={employee}

office_assistant | corporate | otlp | office | 6 | mail,drive,inbox,personal | Inbox Aide (CFO),Inbox Aide (COO),exec-assist-legal,Meeting Scribe | | What needs an answer today?
inbox.list | 8 | user={employee} ; unread=true
inbox.read | 9 | user={employee} ; message={case}
drive.search | 4 | q=minutes {date}
drive.get_file | 4 | file={doc}
mail.send | 3 | to={employee} ; subject=Re: {num} ; body=See attached notes.
calendar.schedule | 3 | with={employee} ; title=Review
web.fetch | 2 | url=https://{domain}/news
mail.create_rule | 0.05 | user={employee} ; when=subject contains newsletter ; then=move to Later

legal_review | corporate | otlp,maf | office | 2 | drive | clause-reader | | Compare {doc} with our standard
drive.get_file | 9 | file={doc}
contracts.compare | 6 | file={doc} ; template=nda-2026
contracts.comment | 5 | file={doc} ; clause={small}
drive.share | 1 | file={doc} ; with={employee} ; role=commenter

market_data | finance | otlp | nightly | 3 | web | rate-watcher | | Update freight rates
web.fetch | 9 | url=https://{domain}/rates?d={date}
sheets.append_row | 7 | sheet=rates ; row={date},{amount}
warehouse.load_rows | 4 | table={table} ; rows={num}
"""  # noqa: E501
