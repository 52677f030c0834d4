; COM1: tests the loopback and the interrupt of an empty transmitter, then echoes in upper case what the interrupt
; of received characters brings, until q; the first 4 characters by polling.
PORT	equ 0x3f8
	org 0x7c00
	bits 16
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov dx, PORT + 3
	mov al, 0x83
	out dx, al
	mov dx, PORT
	mov al, 1		; 115200 baud
	out dx, al
	inc dx
	mov al, 0
	out dx, al
	mov dx, PORT + 3
	mov al, 3
	out dx, al

	mov dx, PORT + 2	; FIFOs, from the first character on
	mov al, 0x07
	out dx, al
	mov dx, PORT + 4	; loopback: what is sent comes back
	mov al, 0x1f
	out dx, al
	mov dx, PORT
	mov al, 'L'
	out dx, al
	mov dx, PORT + 5
	in al, dx
	and al, 1
	add al, '0'
	mov bl, al
	mov dx, PORT
	in al, dx
	mov bh, al
	mov dx, PORT + 6
	in al, dx
	mov cl, al
	mov dx, PORT + 4
	mov al, 0x0b		; DTR, RTS, OUT2
	out dx, al
	mov al, bh
	call send
	mov al, bl
	call send
	cmp cl, 0xf0
	jne bad

	mov word [0x0c * 4], handler
	mov word [0x0c * 4 + 2], 0
	in al, 0x21
	and al, 0xef
	out 0x21, al
	mov dx, PORT + 1	; the transmitter is empty
	mov al, 0x02
	out dx, al
	sti
	hlt
	cmp byte [last], 0xc2
	jne bad
	mov al, 'T'
	call send
	mov dx, PORT + 1
	mov al, 0
	out dx, al

	mov cx, 4
poll:	mov dx, PORT + 5
	in al, dx
	test al, 1
	jz poll
	mov dx, PORT
	in al, dx
	call send_upper
	loop poll
	mov dx, PORT + 1
	mov al, 1
	out dx, al
idle:	hlt
	cmp byte [done], 0
	je idle
	mov al, 10
	call send
	cli
	hlt
bad:	mov al, '!'
	call send
	cli
	hlt

handler:
	push ax
	push dx
next:	mov dx, PORT + 2
	in al, dx
	test al, 1
	jnz .end
	mov [last], al
	and al, 0x0e
	cmp al, 0x02
	je next
	mov dx, PORT
	in al, dx
	cmp al, 'q'
	jne .echo
	mov byte [done], 1
.echo:	call send_upper
	jmp next
.end:	mov al, 0x20
	out 0x20, al
	pop dx
	pop ax
	iret

send_upper:
	cmp al, 'a'
	jb send
	cmp al, 'z'
	ja send
	sub al, 0x20
send:	push dx
	mov dx, PORT
	out dx, al
	pop dx
	ret
last:	db 0
done:	db 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
