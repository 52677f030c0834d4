; Two resets that the guest comes back from, in instructions of which something was to follow: an OUT under the guest's own
; TF, and a REP STOSB that ends in a triple fault.
	org	0x7c00
	bits	16

%macro	come_back 1		; where
	mov	word [0x467], %1
	mov	word [0x469], 0
	mov	al, 0x0f
	out	0x70, al
	mov	al, 0x0a
	out	0x71, al
%endmacro

	cli
	xor	ax, ax
	mov	ds, ax
	mov	ss, ax
	mov	sp, 0x7c00
	mov	word [1 * 4], trap
	mov	word [1 * 4 + 2], 0
	come_back first
	pushf
	pop	ax
	or	ah, 1
	push	ax
	mov	al, 0xfe
	popf
reset:	out	0x64, al
	hlt
trap:	iret

first:	inc	cx
	inc	dx
	xor	ax, ax
	mov	ds, ax
	come_back second
	lgdt	[gdt_pointer]
	lidt	[no_idt]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	8:protected
	bits	32
protected:
	mov	ax, 0x10
	mov	es, ax
	mov	ecx, 5
	mov	edi, 0x123456	; beyond the segment
fault:	rep stosb
	hlt
	bits	16
second:	inc	dx
	inc	bx
	hlt

	align	8
gdt:	dq	0, 0x00409a000000ffff, 0x004092000000ffff
gdt_pointer:
	dw	$ - gdt - 1
	dd	gdt
no_idt:	dw	0
	dd	0
	times	510 - ($ - $$) db 0
	dw	0xaa55
