; A boot sector that leaves protected mode as a 286 does: by a reset, with a shutdown code in the CMOS memory, and the place
; to go on at in the BIOS data area. It prints a digit for each way back: the keyboard controller, port 92h, a triple
; fault; and what the shutdown code is afterwards.
	org	0x7c00
	bits	16

%macro	come_back 2		; shutdown code, where
	mov	word [0x467], %2
	mov	word [0x469], 0
	mov	al, 0x0f
	out	0x70, al
	mov	al, %1
	out	0x71, al
	lgdt	[gdt_pointer]
	smsw	ax
	or	al, 1
	lmsw	ax
	jmp	8:%%protected
%%protected:
%endmacro

%macro	print 1
	mov	al, %1
	out	0xe9, al
%endmacro

%macro	begin 1			; what to print, in real mode
	mov	ax, 0
	mov	ds, ax
	smsw	bx
	test	bl, 1
	jnz	wrong
	print	%1
%endmacro

	cli
	xor	ax, ax
	mov	ds, ax
	come_back 5, first
	mov	al, 0xfe	; pulse the reset line
	out	0x64, al
	jmp	$
first:	begin	'1'
	come_back 0x0a, second
	mov	al, 1
	out	0x92, al
	jmp	$
second:	begin	'2'
	come_back 0x0a, third
	lidt	[no_idt]
	ud2
third:	begin	'3'
	mov	al, 0x0f
	out	0x70, al
	in	al, 0x71
	add	al, '0'
	out	0xe9, al
	print	10
	hlt
wrong:	print	'x'
	hlt

no_idt:	dw	0
	dd	0
gdt:	dq	0
	dq	0x00009b000000ffff	; 16-bit code
gdt_pointer:
	dw	$ - gdt - 1
	dd	gdt
	times	510 - ($ - $$) db 0
	dw	0xaa55
