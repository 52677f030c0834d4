; A boot sector that sets the real-time clock by INT 1Ah and lets it interrupt, on IRQ 8: periodically, at an alarm, and
; after each update. A line for each, of what came of it.
;
; A debugger should see a handler of the guest's own at INT 70h's vector (0x1c0), at `heard` (0x7d40), the causes of each
; interrupt in AL behind its second IN, and the ticks of IRQ 0 go on meanwhile.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld

	mov ah, 0x03		; 23:59:56
	mov cx, 0x2359
	mov dx, 0x5600
	int 0x1a
	mov ah, 0x05		; 1999-12-31
	mov cx, 0x1999
	mov dx, 0x1231
	int 0x1a
	call show_time

	cli
	mov word [0x70 * 4], heard
	mov word [0x70 * 4 + 2], 0
	sti

	mov ax, 0x420b		; periodic, 24 hours
	call write
	mov ax, 0x2c0a		; 16 a second
	call write
	mov ax, 0x020b
	mov cx, 32
	call wait_for
	mov al, 'P'
	call show

	mov ax, 0x0001		; an alarm at 00:00:05
	call write
	mov ax, 0x0003
	call write
	mov ax, 0x0505
	mov al, 0x01
	call write
	mov ax, 0x0005
	call write
	mov ax, 0x220b
	call write
	mov cx, 1
	call wait_for
	mov al, 'A'
	call show
	call show_time

	mov ax, 0xff01		; one each second
	call write
	mov ax, 0x320b		; and the update
	call write
	mov cx, 3
	call wait_for
	mov al, 'U'
	call show
	call show_time

	mov ax, 0x020b		; no more of them: a minute passes without
	call write
	mov byte [count], 0
	mov ah, 0x86
	mov cx, 60000000 >> 16
	mov dx, 60000000 & 0xffff
	int 0x15
	mov byte [causes], 0
	mov al, 'N'
	call show
	call show_time
	cli
	hlt

; Waits for CX interrupts, and then for no more.
wait_for:
	cli
	mov byte [count], 0
	mov byte [causes], 0
	mov al, 0x0c		; those that are left from before
	out 0x70, al
	in al, 0x71
.next:	sti
	hlt
	cli
	cmp [count], cl
	jb .next
	mov ax, 0x020b
	call write
	sti
	ret

; AH to register AL.
write:	out 0x70, al
	xchg al, ah
	out 0x71, al
	ret

	times 0x140 - ($ - $$) nop
heard:	push ax			; at 0x7d40
	mov al, 0x0c
	out 0x70, al
	in al, 0x71
	or [causes], al
	inc byte [count]
	mov al, 0x20
	out 0xa0, al
	out 0x20, al
	pop ax
	iret

; The letter in AL, how many there were, and why.
show:	call put
	mov al, ' '
	call put
	mov al, [count]
	call hex
	mov al, ' '
	call put
	mov al, [causes]
	call hex
	jmp line

show_time:
	mov ah, 0x04
	int 0x1a
	mov ax, cx
	call word_out
	mov ax, dx
	call word_out
	mov al, ' '
	call put
	mov ah, 0x02
	int 0x1a
	mov ax, cx
	call word_out
	mov al, dh
	call hex
line:	mov al, 13
	call put
	mov al, 10
	jmp put

word_out:
	push ax
	mov al, ah
	call hex
	pop ax
hex:	push ax
	shr al, 4
	call .digit
	pop ax
	and al, 15
.digit:	cmp al, 10
	sbb al, 0x69
	das
put:	push bx
	mov bx, 7
	mov ah, 0x0e
	int 0x10
	pop bx
	ret

count:	db 0
causes:	db 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
