; Procedures of 16-bit code, at 07c0:0000 with the stack in segment 0x2000: near and far ones, with and
; without BP as a frame pointer, with arguments that they take off the stack, and an interrupt handler.
;
; A debugger should see who called whom at each of the labels, and the halt in `panic`.
;
; nasm -f bin makes the guest, nasm -f elf32 -g -F dwarf its symbols and lines.

	bits 16
%ifidn __OUTPUT_FORMAT__, bin
	org 0
%endif

alias	equ 0x700		; this code is at 0700:0c00, too

start:	mov ax, 0x2000
	mov ss, ax
	mov sp, 0x1000
	xor ax, ax
	mov es, ax
	mov word [es:0x60 * 4], handler
	mov [es:0x60 * 4 + 2], cs
	mov ax, cs
	mov ds, ax
	xor bp, bp
	push word 1
	push word 2
	call outer
	call alias:remote + 0xc00
	int 0x60
	push cs
	call remote
	call [near_pointer]
	call far [far_pointer]
	pushf
	call far [handler_pointer]
	call dword wide
	push word 2
	call recurse
	add sp, 2
	call text
	push cs			; a jump, not a call
	push word last
	retf
last:	call panic

; A frame pointer, a local variable, a saved register, and two arguments that it takes away.
outer:	push bp
	mov bp, sp
	sub sp, 2
	push bx
	mov bx, [bp + 4]
	mov [bp - 2], bx
	push word [bp + 6]
	call inner
	add bx, ax
	pop bx
	leave
	ret 4

; No frame pointer, and an argument that it takes away.
inner:	push si
	push cx
	mov si, sp
	mov ax, [ss:si + 6]
	mov cx, 3
.next:	call leaf
	loop .next
	pop cx
	pop si
	ret 2

; Nothing on the stack.
leaf:	test ax, ax
	jz .zero
	inc ax
	ret
.zero:	ret

; Far.
remote:	push bp
	mov bp, sp
	push ds
	call leaf
	int 0x60
	pop ds
	pop bp
	retf

handler:
	pusha
	push es
	call leaf
	pop es
	popa
	iret

; With 32-bit operands, as a compiler for 32-bit processors makes them.
wide:	push ebp
	mov ebp, esp
	sub esp, 8
	call dword .leaf
	o32 leave
	o32 ret
.leaf:	nop
	o32 ret

recurse:
	push bp
	mov bp, sp
	mov ax, [bp + 4]
	dec ax
	jz .done
	push ax
	call recurse
	add sp, 2
.done:	mov sp, bp
	pop bp
	ret

; BP is not a frame pointer but points into nothing, and the way to the return is a jump.
text:	push bp
	mov bp, 0xfffe
	call leaf
	pop bp
	jmp leaf

; Never return.
halt:	cli
	hlt
	jmp halt
panic:	push ax
	push word 0x55aa
	call halt

	align 4
near_pointer:
	dw leaf
far_pointer:
	dw remote + 0xc00, alias
handler_pointer:
	dw handler, 0x7c0
