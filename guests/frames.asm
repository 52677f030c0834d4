; Procedures at 0000:7c00 that are called by pointers, so that nothing but their own code tells where they
; return to: each treats the stack in another way. Then some that never return.
;
; A debugger should see `start`, and for `nested` the procedure `second` in between, as their callers all
; along, and the halt in `spin`.

	bits 16
	org 0x7c00

start:
	cli
	xor	ax, ax
	jc	nonsense
	mov	ss, ax
	mov	sp, 0x7000
	mov	ds, ax
	mov	word [0x60 * 4], handler
	mov	word [0x60 * 4 + 2], ax
	mov	word [0x61 * 4], stop
	mov	word [0x61 * 4 + 2], ax
	sti
	mov	bp, 0x1111
	mov	bx, 0x2222
	mov	di, table
next:	call	[di]
	add	di, 2
	cmp	di, table_end
	jb	next
	call	far [far_pointer]
	int	0x60
	mov	bx, 0x3333
	call	dword panic
other:	hlt
nonsense:
	iret				; of what nobody pushed

with_enter:
	enter	4, 0
	mov	bx, 5
	leave
	ret

with_frame:
	push	bp
	mov	bp, sp
	push	bx
	sub	sp, 300
	mov	bx, 6
	lea	sp, [bp - 2]
	pop	bx
	pop	bp
	ret

with_alignment:
	push	bp
	db	0x8b, 0xec		; MOV BP, SP by the other opcode
	push	bx
	and	sp, -16
	mov	bx, 7
	db	0x8b, 0xe5
	dec	sp
	dec	sp
	pop	bx
	pop	bp
	ret

without_frame:
	sub	sp, 6
	inc	sp
	inc	sp
	add	sp, 4
	push	0x1234
	push	table
	pop	ax
	pop	ax
	ret

with_flags:
	pushf
	push	es
	push	fs
	push	word [table]
	pop	word [scratch]
	pop	fs
	pop	es
	popf
	ret

with_arguments:
	push	word 1
	push	word 2
	call	takes_four
	push	word 3
	call	0: takes_two
	ret

takes_four:
	ret	4

takes_two:
	retf	2

far_by_near:
	push	cs
	call	far_leaf
	push	cs
	call	[far_leaf_pointer]
	pushf
	call	0: handler
	pushf
	call	far [handler_pointer]
	ret

far_leaf:
	retf

where_am_i:
	call	.next
.next:	pop	ax
	ret

; The way to the return is a jump that is not taken yet.
with_branch:
	mov	cx, 2
	jmp	.loop
.never:	hlt
	jmp	.never
.loop:	jcxz	.end
	dec	cx
	jmp	.loop
.end:	cmp	cx, 0
	db	0x0f, 0x84, 2, 0	; JE with two bytes of offset
	jmp	.never
	ret

; Behind the call that never returns is what would end in another way.
second:
	mov	si, nested
	call	si
	ret
nested:
	test	sp, sp
	jnz	.out
	call	spin
	pop	cx
	ret
.out:	ret

with_jump:
	push	.on
	ret
	nop
.on:	jmp	0:.off
.never:	jmp	.never
.off:	ret

other_stack:
	push	bp
	mov	sp, 0x6800
	push	ax
	mov	sp, 0x6ffc		; where it was
	pop	bp
	ret

far_procedure:
	push	ds
	nop
	pop	ds
	retf

handler:
	pusha
	push	ds
	mov	bx, 9
	cmp	bx, 8
	pop	ds
	popa
	iret

; The word on the stack looks like its return address, but for SP.
panic:
	push	ebp
	mov	bp, 0x4444
	push	dword other
	int	0x61

stop:
	call	0: spin

spin:
	hlt
	jmp	spin

	align	4
table:	dw	with_enter, with_frame, with_alignment, without_frame, with_flags, with_arguments
	dw	far_by_near, where_am_i, with_branch, second, with_jump, other_stack
table_end:
far_leaf_pointer: dw far_leaf
far_pointer: dw far_procedure, 0
handler_pointer: dw handler, 0
scratch: dw	0
